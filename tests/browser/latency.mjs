// Milliseconds an agent and a customer feel, measured in Chromium and SIPp: `node tests/browser/latency.mjs [rounds]`.
import { decodeUlaw, loudness } from '../support/audio.mjs';
import { throughTap } from '../support/browser.mjs';
import { Stage } from '../support/stage.mjs';
import { UdpTap } from '../support/udp_tap.mjs';
import { Workstation } from '../support/workstation.mjs';

const rounds = Number(process.argv[2] ?? 10);
const stage = new Stage();
await stage.open({ agent: false });
const tap = await UdpTap.open(stage.switch.mediaPort);
const context = await stage.browser({ microphone: 'silent' });
await throughTap(context, stage.switch.mediaPort, tap.port);
const station = await Workstation.logIn(context, stage.switch.url, stage.accounts.mei);
await station.goOnline();

const answers = [];
const holds = [];
for (let round = 0; round < rounds; round++) {
  const { audio, sipp } = await stage.customerCalls();
  await station.rings();
  await audio.listen(0.5);
  const answered = station.sends('answer');
  await station.click('answer');
  const clicked = await answered;
  await station.call({ phase: 'talking' });
  await audio.listen(1);
  const first = tap.between(clicked, Infinity, 'rtp').find(({ to }) => to === 'browser');
  answers.push(first.at - clicked);

  const commanded = station.sends('hold');
  await station.click('hold');
  const held = await commanded;
  await audio.listen(1);
  const music = audio.heard.find(({ at, payload }) => at >= held && loudness(decodeUlaw(payload)) > 0.001);
  holds.push(music.at - held);

  await station.click('hang-up');
  await sipp.ended;
  await station.click('return-to-reception');
  await station.state('available');
  await stage.hangUpAll();
}
report('answer to the customer’s first packet at the browser', answers);
report('hold to the first music at the customer', holds);
tap.close();
await stage.close();

function report(what, milliseconds) {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
  console.log(`${what}: median ${at(0.5)} ms, p95 ${at(0.95)} ms (${sorted.length} rounds)`);
}
