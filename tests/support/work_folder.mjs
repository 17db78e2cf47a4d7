import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for this process's files; gone when it ends. */
export const workFolder = mkdtempSync(join(tmpdir(), 'cordboard-test-'));

/** A new folder in it. */
export const newFolder = (name) => mkdtempSync(join(workFolder, `${name}-`));

/** A folder for what a test that failed leaves behind; it stays. */
export function traces(of) {
  const folder = join(import.meta.dirname, '../../target/browser-failures', of.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 80));
  mkdirSync(folder, { recursive: true });
  return folder;
}

process.on('exit', () => rmSync(workFolder, { recursive: true, force: true, maxRetries: 3 }));
// An interrupted run cleans up too.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
