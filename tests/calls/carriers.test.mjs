// Calls out that a carrier answers with every status of G3, with and without a cause in Reason: SIPp is the carrier and the agents' phones.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CallerAudio } from '../support/caller_audio.mjs';
import { Desk } from '../support/desk.mjs';
import { openHouse, PASSWORD } from '../support/house.mjs';
import { freePort } from '../support/ports.mjs';
import { openPhones } from '../support/sipp.mjs';

const DID = '+442079460100';
/** Shown over a trunk where nobody listens. */
const DEAD_DID = '+442079460101';
/** Timer B (RFC 3261), and room for a busy machine. */
const SILENCE = 50_000;
const AGENTS = 8;

const PHRASES = { 403: 'Forbidden', 404: 'Not Found', 480: 'Temporarily Unavailable', 486: 'Busy Here', 503: 'Service Unavailable' };
const cause = (code) => `Reason: Q.850;cause=${code};text="as the network says"`;

/** What the carrier answers with, and what the record says. The agent hangs up first where it says `cancels`. */
const STATUSES = {
  missed: [408, 480],
  rejected: [603, 607],
  in_call: [486, 600],
  empty_number: [404, 410, 484, 604],
  carrier_exception: [401, 402, 403, 407, 488, 606, 300, 302, 380, 400, 500, 501, 502, 503, 504, 505, 513, 580],
};
/** Causes, with a status that alone would say something else. */
const CAUSES = {
  missed: { status: 486, causes: [18, 19] },
  rejected: { status: 480, causes: [21] },
  in_call: { status: 480, causes: [17] },
  power_off: { status: 480, causes: [20, 27] },
  empty_number: { status: 480, causes: [1, 22, 28] },
  carrier_exception: { status: 480, causes: [2, 3, 34, 38, 41, 42, 47] },
};
const ROWS = [
  ...Object.entries(STATUSES).flatMap(([outcome, statuses]) => statuses.map((status) => ({ outcome, status }))),
  ...Object.entries(CAUSES).flatMap(([outcome, { status, causes }]) => causes.map((code) => ({ outcome, status, header: cause(code) }))),
  // A cause that names nothing leaves it to the status, and so does a Reason that is not the network's.
  { outcome: 'in_call', status: 486, header: cause(31) },
  { outcome: 'in_call', status: 486, header: 'Reason: SIP;cause=404;text="elsewhere"' },
  { outcome: 'power_off', status: 486, header: 'Reason: SIP;cause=404, Q.850;cause=20' },
  // The trunk's own rules come before both.
  { outcome: 'out_of_service_area', status: 480, header: cause(29) },
  { outcome: 'arrears', status: 403, phrase: 'No Credit left', header: cause(21) },
  // It rang before.
  { outcome: 'in_call', status: 486, rings: true },
  { outcome: 'missed', status: 408, rings: true },
  // Whatever the carrier answers to the CANCEL.
  { outcome: 'caller_cancelled', status: 487, cancels: true },
  { outcome: 'caller_cancelled', status: 486, cancels: true },
  { outcome: 'caller_cancelled', status: 200, cancels: true },
].map((row, index) => ({ ...row, number: `+447700800${`${index}`.padStart(3, '0')}` }));

/** The one who never answers anything. */
const NOBODY = '+447700800999';

const sdp = `Contact: <sip:customer@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=carrier 4711 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio [rtp_port] RTP/AVP 0
`;
const answer = (status, phrase, more = 'Content-Length: 0\n') => `<send ${status >= 200 ? 'retrans="500"' : ''}><![CDATA[
SIP/2.0 ${status} ${phrase}
Via:[$via]
From:[$from]
To:[$to];tag=[pid]p[call_number]
Call-ID: [call_id]
CSeq:[$cseq]
${more}
]]></send>`;
/** The last request is answered. */
const ok = `<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`;

function customer({ status, phrase = PHRASES[status] ?? 'Sorry', header, rings, cancels }, index) {
  const more = header ? `${header}\nContent-Length: 0\n` : undefined;
  return [
    `<label id="row${index}"/>`,
    rings || cancels ? answer(180, 'Ringing') : '',
    cancels ? `<recv request="CANCEL"/>${ok}` : '',
    answer(status, phrase, status === 200 ? sdp : more),
    status === 200 ? `<recv request="ACK"/><recv request="BYE"/>${ok.replace('<send>', '<send next="end">')}` : '<recv request="ACK" next="end"/>',
  ].join('\n');
}

const kept = (header) => `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${header.toLowerCase()}"/>`;
const isFor = (number, row) => `<ereg regexp="sip:.${number.slice(1)}@" search_in="hdr" header="To:" assign_to="${row}"/>`;
/** A carrier: who is called by which number does what. */
const CARRIER = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="carrier">
<recv request="INVITE"><action>
${['Via', 'From', 'To', 'CSeq'].map(kept).join('\n')}
${ROWS.map(({ number }, index) => isFor(number, `is${index}`)).join('\n')}
</action></recv>
${ROWS.map((_, index) => `<nop next="row${index}" test="is${index}"/>`).join('\n')}
<!-- Nobody. -->
<pause milliseconds="33000" next="end"/>
${ROWS.map(customer).join('\n')}
<label id="end"/>
</scenario>
`;

const email = (n) => `out${n}@example.com`;
const floor = ({ carrier, dead, phones }) => `
[settings.outbound]
agent = ["+44"]

[trunks.carrier]
hosts = ["127.0.0.1:${carrier}"]
options_every = "off"
outcomes = [{ cause = 29, outcome = "out_of_service_area" }, { text = "no credit", outcome = "arrears" }]

[trunks.dead]
hosts = ["127.0.0.1:${dead}"]
transport = "tcp"
options_every = "off"

[groups.Out]
wrap_up = "off"

${Array.from({ length: AGENTS }, (_, n) => `
[phones.phone${n}]
user = "phone${n}"
addr = "127.0.0.1:${phones}"

[agents."${email(n)}"]
number = "${2000 + n}"
name = "Agent ${n}"
groups = ["Out"]
phone = "phone${n}"
password_env = "AGENT_PASSWORD"
`).join('')}
[[numbers]]
did = "${DID}"
trunk = "carrier"
group = "Out"

[[numbers]]
did = "${DEAD_DID}"
trunk = "dead"
group = "Out"
`;

let house, silence, cookie;
const sipps = [];
const desks = [];
const began = Date.now();

before(async () => {
  const ports = { carrier: await freePort(), dead: await freePort(), phones: await freePort() };
  ({ house, cookie } = await openHouse(floor(ports)));
  silence = await CallerAudio.open();
  sipps.push(openPhones(CARRIER, { port: ports.carrier, audio: silence }));
  sipps.push(openPhones('phones', { port: ports.phones, audio: silence, words: { rings: 50 } }));
  await Promise.all(Array.from({ length: AGENTS }, async (_, n) => {
    const desk = await Desk.open(house.url, { email: email(n), password: PASSWORD });
    await desk.choose('available');
    desks.push(desk);
  }));
});

after(async () => {
  for (const desk of desks) desk.close();
  silence?.close();
  await house?.stop();
});

/** Calls that number; the session when it has ended, and the agent is free again. */
async function dial(desk, to, { callerId = DID, cancels = false, patience } = {}) {
  const before = new Set(desk.sessions.keys());
  const session = (phase) => [...desk.sessions.values()].find(({ call, phase: now }) => !before.has(call) && now === phase);
  await desk.ask('dial', { to, callerId });
  if (cancels) {
    await desk.when(() => session('ringing'), `${to} ringing`);
    await desk.inCall('hangUp');
  }
  const ended = await desk.when(() => session('ended'), `the end of the call to ${to}`, patience);
  await desk.when(() => desk.agent.state === 'available', 'the agent to be free');
  return ended;
}

/** Everything on record, by the number that was called. */
async function records() {
  const found = [];
  for (let page = 0; ; page++) {
    const { items } = await (await fetch(`${house.url}api/v1/records?from=${began}&callType=outbound&page=${page}`, { headers: { cookie } })).json();
    if (items.length === 0) return new Map(found.map((record) => [record.contact, record]));
    found.push(...items);
  }
}

/** What came of the calls, next to what should have. */
async function check(calls) {
  const deadline = Date.now() + 10_000;
  let onRecord = await records();
  // Records are written behind the calls.
  while (calls.some(({ number }) => !onRecord.has(number)) && Date.now() < deadline) onRecord = await records();
  const told = calls.map(({ number, ended }) => {
    const { status, hungUpBy, recording } = onRecord.get(number) ?? {};
    return { number, session: ended.outcome, status, hungUpBy, recording };
  });
  const by = { caller_cancelled: 'agent', in_call: 'customer', rejected: 'customer' };
  assert.deepEqual(
    told,
    calls.map(({ number, outcome }) => ({ number, session: outcome, status: outcome, hungUpBy: by[outcome] ?? 'switch', recording: null })),
  );
}

// E5, G3
describe('calls out end', { concurrency: true }, () => {
  test('with what the table says, by status, cause and the trunk’s rules', async () => {
    const calls = [];
    const next = ROWS.values();
    await Promise.all(desks.slice(0, -2).map(async (desk) => {
      for (const row of next) calls.push({ ...row, ended: await dial(desk, row.number, row) });
    }));
    await check(ROWS.map(({ number }) => calls.find((call) => call.number === number)));
  });

  test('as the carrier’s fault when nobody says a word, as not permitted where the guards forbid, and as the carrier’s fault without a connection', async () => {
    const [talker, waiter] = desks.slice(-2);
    const calls = await Promise.all([
      dial(waiter, NOBODY, { patience: SILENCE }).then((ended) => ({ number: NOBODY, outcome: 'carrier_exception', ended })),
      (async () => ({ number: '+882123456', outcome: 'not_permitted', ended: await dial(talker, '+882123456') }))(),
    ]);
    calls.push({ number: '+447700900001', outcome: 'carrier_exception', ended: await dial(talker, '+447700900001', { callerId: DEAD_DID }) });
    await check(calls);
  });
});

test('the carrier and the phones saw nothing but what they should', () => Promise.all(sipps.map((sipp) => sipp.close())));
