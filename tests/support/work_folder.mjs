import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for this process's files; gone when it ends. */
export const workFolder = mkdtempSync(join(tmpdir(), 'cordboard-test-'));

/** A new folder in it. */
export const newFolder = (name) => mkdtempSync(join(workFolder, `${name}-`));

process.on('exit', () => rmSync(workFolder, { recursive: true, force: true, maxRetries: 3 }));
// An interrupted run cleans up too.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
