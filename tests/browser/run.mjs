// Runs every browser test here, two files at a time: they wait for voices more than they compute. Beside them, once the first call is through, goes what hardly
// does anything but wait.
//   node tests/browser/run.mjs [WORD…]    only files whose names hold one of the words
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const AT_ONCE = 2;
const IDLE = 'network';
const here = import.meta.dirname;
const words = process.argv.slice(2);
const names = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs') && (words.length === 0 || words.some((word) => name.includes(word))))
  // What takes longest comes first.
  .sort((a, b) => b.startsWith('first_call') - a.startsWith('first_call') || a.localeCompare(b));

// The first call is taken on both databases, the rest on SQLite.
const runs = names.flatMap((name) =>
  (process.env.CORDBOARD_TEST_PG && name.startsWith('first_call') ? ['sqlite', 'postgres'] : ['sqlite']).map((database) => ({ name, database })),
);

/** Runs one file; what it prints is shown when it ends, so that two do not mix. */
function run({ name, database }) {
  const began = Date.now();
  const options = ['--test', '--test-timeout=300000', '--test-reporter=spec', join(here, name)];
  const test = spawn(process.execPath, options, { env: { ...process.env, STAGE_DATABASE: database }, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  for (const stream of [test.stdout, test.stderr]) stream.on('data', (data) => printed.push(data));
  return new Promise((resolve) => {
    test.on('close', (status) => {
      console.log(`# ${name} on ${database}, ${Math.round((Date.now() - began) / 1000)} s\n${Buffer.concat(printed)}`);
      resolve(status === 0 ? [] : [{ name, database }]);
    });
  });
}

const beside = [];
const inTurn = async (queue) => {
  for (let next = queue.shift(); next; next = queue.shift()) beside.push(...(await run(next)));
};
const idle = runs.filter(({ name }) => name.startsWith(IDLE));
const busy = runs.filter(({ name }) => !name.startsWith(IDLE));
// Whether music is one stream is judged in the first two.
await Promise.all(Array.from({ length: AT_ONCE }, () => inTurn(busy.splice(0, 1))));
await Promise.all([inTurn(idle), ...Array.from({ length: AT_ONCE }, () => inTurn(busy))]);
// What failed beside another file is tried once more with the machine to itself. It is told all the same: most often it is a race, of the page or of the story.
const alone = [];
for (const once of beside) alone.push(...(await run(once)));
for (const { name, database } of beside) console.log(`FAILED ONCE: ${name} on ${database}`);
for (const { name, database } of alone) console.log(`FAILED AGAIN: ${name} on ${database}`);
process.exit(alone.length > 0 ? 1 : 0);
