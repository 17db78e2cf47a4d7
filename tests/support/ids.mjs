// Which tests prove which requirement: makes tests/README.md from the tests themselves.
//   node tests/support/ids.mjs            writes it
//   node tests/support/ids.mjs --check    fails when it is not what would be written
//
// A test proves the ids in its name, in the comment right above it or in its `describe`; those that name none prove the ids of their file's head comment,
// between them when these are several.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const TITLES = {
  A1: 'accounts and the mailed one-time password',
  A2: 'completing the account, binding a mobile number',
  A3: 'login by password or by SMS',
  A4: 'SMS codes and their provider',
  A5: 'forgotten password',
  A6: 'password policy, storage, throttling',
  A7: 'profile, change of number and password',
  A8: 'roles, enforced by the server',
  A9: 'log-out, second login, force offline',
  B1: 'the state menu',
  B2: 'after-call work',
  B3: 'a lost workstation',
  B4: 'misses and failing devices',
  B5: 'history of states',
  B6: 'offline and back',
  C1: 'from the number to the group, or refused',
  C2: 'answer, waiting, limits of the queue',
  C3: 'distribution strategies and priorities',
  C4: 'one offer, one agent, one winner',
  C5: 'the answer bar, declining, missing',
  C6: 'automatic answer',
  C7: 'answering on a mobile',
  C8: 'answering on a SIP phone',
  C9: 'the caller hangs up',
  D1: 'the call view and measured quality',
  D2: 'hold',
  D3: 'mute',
  D4: 'blind transfer',
  D5: 'consultation and conference',
  D6: 'self-service in a call',
  D7: 'sending digits',
  D8: 'hang-up, remark, disposition',
  D9: 'supervisors: listen, whisper, barge in',
  D10: 'live transcript',
  E1: 'the dial pad and caller ID',
  E2: 'mobile outbound',
  E3: 'internal calls',
  E4: 'SIP calls',
  E5: 'honest progress, early media',
  E6: 'guards against toll fraud',
  F1: 'the top bar',
  F2: 'sessions, queues, serving and ended',
  F3: 'the current task and the CRM zone',
  F4: 'device check',
  F5: 'browsers, shortcuts, languages',
  F6: 'two tabs of one agent',
  F7: 'the microphone and the audio path',
  G1: 'service records',
  G2: 'inbound statuses',
  G3: 'outbound statuses',
  G4: 'recordings',
  G5: 'nothing is lost, whatever fails',
  H1: 'agents',
  H2: 'skill groups',
  H3: 'numbers and trunks',
  H4: 'SIP phone accounts',
  H5: 'self-service flows',
  H6: 'blocklist',
  H7: 'break reasons, dispositions',
  H8: 'settings',
  H9: 'audio library',
  H10: 'audit log',
  H11: 'wallboard',
  H12: 'reports',
  H13: 'capacity planner',
  I1: 'REST API',
  I2: 'webhooks',
  I3: 'metrics, logs, SIP trace',
  I4: 'one binary, its configuration and databases',
  I5: 'TLS',
  I6: 'the floor as a file',
  I7: 'names that others rely on',
  J1: 'the load generator',
  J2: 'progress and report of a load test',
  J3: 'the highest sustainable rate',
  J4: 'the carrier simulator',
};

const root = join(import.meta.dirname, '../..');
const page = join(root, 'tests/README.md');

const isRust = (path) => path.endsWith('.rs');
const isTestFile = (path) =>
  /^(tests\/|src\/.*(\/tests\/|\/tests\.rs$)).*/.test(path) && isRust(path)
  || /^tests\/(browser|calls|load)\/.*\.mjs$/.test(path)
  || /^web\/test\/.*\.test\.ts$/.test(path);

/** Paths below a folder, in an order that does not depend on the machine. */
function files(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));
}

const isComment = (line) => line.trim().startsWith('//');
const idsIn = (text) => [...new Set(text.match(/\b[A-K]\d{1,2}\b/g) ?? [])].filter((id) => id in TITLES);

/** The comment lines that end right above a line; attributes between do not count. */
function commentAbove(lines, index) {
  const comment = [];
  for (let i = index - 1; i >= 0 && /^\s*(\/\/|#\[)/.test(lines[i]); i--) comment.push(lines[i]);
  return comment.filter(isComment).join('\n');
}

/** Name and own ids of each test of a Rust file; those in `on_both!` have no attribute, and one word is no statement but a helper's name. */
function* rustTests(lines) {
  let marked = false;
  let macro = false;
  for (const [index, line] of lines.entries()) {
    if (/^on_both! \{/.test(line)) macro = true;
    if (/^\}/.test(line)) macro = false;
    if (/^\s*#\[(\w+::)*test\b/.test(line)) marked = true;
    const name = line.match(/^\s*(?:async )?fn ([a-z]\w*)\(/)?.[1];
    if (name === undefined) continue;
    if (name.includes('_') && (marked || (macro && /^ {4}fn /.test(line)))) yield { name: name.replaceAll('_', ' '), ids: idsIn(`${name}\n${commentAbove(lines, index)}`) };
    marked = false;
  }
}

/** The same of a file of Node's or Vitest's tests. */
function* scriptTests(lines) {
  let group = { name: '', ids: [] };
  for (const [index, line] of lines.entries()) {
    const [, kind, , text] = line.match(/^\s*(test|story|step|it|describe)\((['"`])(.+?)\2, /) ?? [];
    if (text === undefined) continue;
    const ids = idsIn(`${text}\n${commentAbove(lines, index)}`);
    if (kind === 'describe') group = { name: `${text}: `, ids };
    else yield { name: group.name + text, ids: ids.length > 0 ? ids : group.ids };
  }
}

const proofs = new Map(Object.keys(TITLES).map((id) => [id, []]));
const others = [];
for (const path of ['src', 'tests', 'web/test'].flatMap(files).filter(isTestFile)) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const end = lines.findIndex((line) => !isComment(line));
  const head = idsIn(lines.slice(0, end).join('\n'));
  const tests = [...(isRust(path) ? rustTests(lines) : scriptTests(lines))];
  const told = new Set();
  for (const { name, ids } of tests) {
    const shared = ids.length === 0 && head.length > 1;
    for (const id of ids.length > 0 ? ids : head) {
      told.add(id);
      const known = proofs.get(id).find((proof) => proof.path === path && proof.shared === shared);
      if (known) known.names.push(name);
      else proofs.get(id).push({ path, shared, names: [name] });
    }
  }
  if (tests.length > 0 && told.size === 0) others.push({ path, count: tests.length });
}

const link = (path) => `[${path}](${relative(join(root, 'tests'), join(root, path))})`;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('`', '');
const out = ['# Which tests prove which requirement', ''];
out.push('Made from the tests by `node tests/support/ids.mjs`; `make check` and `make test` fail when it is out of date. *Some of*: the tests of a file that proves several requirements and does not say which test proves which.', '');
out.push('| requirement | file | tests |', '|---|---|---|');
for (const [id, found] of proofs) {
  for (const { path, shared, names } of found) out.push(`| ${id} ${TITLES[id]} | ${link(path)} | ${shared && names.length > 1 ? '*some of* ' : ''}${names.map(cell).join('; ')} |`);
}
out.push('', '## Not yet', '', 'No test names these.', '');
for (const [id, found] of proofs) if (found.length === 0) out.push(`- ${id} ${TITLES[id]}`);
out.push('', '## Of no single requirement', '');
for (const { path, count } of others) out.push(`- ${link(path)}: ${count}`);
const wanted = `${out.join('\n')}\n`;

if (!process.argv.includes('--check')) writeFileSync(page, wanted);
else if (!existsSync(page) || readFileSync(page, 'utf8') !== wanted) {
  console.error('tests/README.md does not fit the tests: run `node tests/support/ids.mjs` and commit what it writes.');
  process.exit(1);
}
