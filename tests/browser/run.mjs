// Runs every browser test here, one file after another: they share the processors with the browsers.
//   node tests/browser/run.mjs [WORD…]    only files whose names hold one of the words
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const words = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs') && (words.length === 0 || words.some((word) => name.includes(word))))
  .sort();

// The first call is taken on both databases, the rest on SQLite.
const runs = [{ database: 'sqlite', names: files }];
if (process.env.CORDBOARD_TEST_PG) runs.push({ database: 'postgres', names: files.filter((name) => name.startsWith('first_call')) });

let failed = false;
for (const { database, names } of runs.filter(({ names }) => names.length > 0)) {
  console.log(`# on ${database}: ${names.join(', ')}`);
  const { status } = spawnSync(
    process.execPath,
    ['--test', '--test-concurrency=1', '--test-timeout=300000', '--test-reporter=spec', ...names.map((name) => join(here, name))],
    { stdio: 'inherit', env: { ...process.env, STAGE_DATABASE: database } },
  );
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
