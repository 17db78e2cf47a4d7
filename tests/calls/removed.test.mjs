// Who and what a floor file names no more, in the running switch (A9, H1, H3, I6): SIPp calls, an agent has a SIP phone of SIPp's and a socket.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Listeners } from '../support/caller_audio.mjs';
import { Desk } from '../support/desk.mjs';
import { ACCOUNT, openHouse, PASSWORD } from '../support/house.mjs';
import { freePort } from '../support/ports.mjs';
import { ack, answered, bye, cue, invite, scenario, turnedAway } from '../support/scenario.mjs';
import { openPhones, placeCall } from '../support/sipp.mjs';
import { newFolder } from '../support/work_folder.mjs';

const DID = '+442079460100';

const floor = (port, { mei, carrier }) => `
${carrier ? '[trunks.carrier]\nhosts = ["127.0.0.1:5099"]\noptions_every = "off"' : ''}

[groups.Orders]
wrap_up = "off"

[phones.desk]
user = "mei"
addr = "127.0.0.1:${port}"

${mei ? '[agents."mei@example.com"]\nnumber = "1001"\nname = "Mei Tanaka"\ngroups = ["Orders"]\nphone = "desk"\npassword_env = "AGENT_PASSWORD"' : ''}

[[numbers]]
did = "${DID}"
group = "Orders"
`;

let house, desk, phones, port;
const audios = new Listeners();
const listener = () => audios.listener();

before(async () => {
  port = await freePort();
  ({ house } = await openHouse(floor(port, { mei: true, carrier: true })));
  // It rings until the group has opened, which waits a second for its agents: until then nobody is turned away.
  phones = openPhones('phones', { port, audio: await listener(), words: { rings: 1_500 } });
  desk = await Desk.open(house.url, { email: 'mei@example.com', password: PASSWORD });
  await desk.choose('available');
});

after(async () => {
  desk?.close();
  phones?.kill();
  audios.close();
  await house?.stop();
});

async function call(caller, ...steps) {
  return placeCall(scenario(...steps), { sipPort: house.sipPort, did: DID, caller, audio: await listener() });
}

function apply(who) {
  const file = join(newFolder('floor'), 'floor.toml');
  writeFileSync(file, ACCOUNT + floor(port, who));
  house.run('apply', file);
}

test('an agent and a carrier that are removed in mid call finish it, and are gone', async () => {
  const customer = await call('+447700900801', invite(), answered(), ack(), cue(), bye());
  await desk.session({ phase: 'talking' });
  apply({ mei: false, carrier: true });
  await desk.when(() => desk.agent.departing, 'the departure');
  const second = await call('+447700900802', invite(), turnedAway(480));
  await second.ended;
  apply({ mei: false, carrier: false });
  // Its old carrier is still heard in the call.
  await customer.cue();
  await customer.ended;
  await assert.rejects(desk.when(() => desk.agent === null, 'nothing'), /the socket is closed/);
  await assert.rejects(Desk.open(house.url, { email: 'mei@example.com', password: PASSWORD }), /not logged in: 401/);
});
