// Runs every browser test here, one file after another: they share two processors with the browsers.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort();
const wanted = process.argv.slice(2);
const chosen = files.filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-timeout=300000', '--test-reporter=spec', ...chosen.map((name) => join(here, name))],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
