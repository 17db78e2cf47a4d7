// A computer whose lid is closed: every process of a browser stands still, and nobody else notices.
import { readdirSync, readFileSync } from 'node:fs';

/** Stops all processes of the browser with that profile folder; the answer lets them go on. */
export function putToSleep(folder) {
  const processes = processesOf(folder);
  const signal = (name) => processes.forEach((id) => process.kill(id, name));
  signal('SIGSTOP');
  const wake = () => signal('SIGCONT');
  // A test that ends in between leaves nothing behind that cannot be ended.
  process.once('exit', wake);
  return () => {
    process.off('exit', wake);
    wake();
  };
}

/** The browser itself first, then whoever it started. */
function processesOf(folder) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap(look);
  const found = all.filter(({ command }) => command.includes(`--user-data-dir=${folder}`) && !command.includes('--type='));
  for (const { id } of found) found.push(...all.filter(({ parent }) => parent === id));
  if (found.length < 3) throw new Error(`no browser runs with ${folder}`);
  return found.map(({ id }) => id);
}

function look(name) {
  try {
    const [, parent] = readFileSync(`/proc/${name}/stat`, 'utf8').match(/^\d+ \(.*\) \S (\d+)/s);
    return [{ id: Number(name), parent: Number(parent), command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }];
  } catch {
    // It has just ended.
    return [];
  }
}
