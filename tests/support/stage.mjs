// A floor with two agents, Mei and Tom, one group and a carrier; a switch that runs it; browsers, phones, customers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RATE, writeWav } from './audio.mjs';
import { openBrowser } from './browser.mjs';
import { CallerAudio } from './caller_audio.mjs';
import { freePort } from './ports.mjs';
import { openPhone, openPhonesInTurn, placeCall } from './sipp.mjs';
import { SENTENCES, say, spokenUlaw } from './speech.mjs';
import { Switch } from './switch.mjs';
import { newFolder, traces } from './work_folder.mjs';
import { Workstation } from './workstation.mjs';

const DID = '+442079460100';
const EARLY_DID = '+442079460101';
const TOLD_DID = '+442079460102';
const TOLD_EARLY_DID = '+442079460103';
const OTHER_DID = '+442079460109';
/** Where the other carrier is: trunks are told apart by address. */
const OTHER_CARRIER = '127.0.0.2';

const floor = ({ misses, phone, carrier, other, settings, outbound }) => `
${settings}
[settings.outbound]
agent = ["+44", "0"]
admin = ["+"]
${outbound}

[trunks.carrier]
hosts = ["127.0.0.1:${carrier}"]
options_every = "off"
outcomes = [{ text = "no credit", outcome = "arrears" }]

[trunks.other]
hosts = ["${OTHER_CARRIER}:${other}"]
options_every = "off"
digits = "info"

[groups.Orders]
ring = "15s"
wrap_up = "5s"
misses = ${misses}

# Its callers are told where they stand, and hear nothing else: there is no such music.
[groups.Returns]
wrap_up = "off"
welcome = "welcome"
music = "silence"
announce_position = "10s"
announcement = "please-hold"
announce_every = "10s"

# Nobody works there.
[groups.Claims]

${phone ? `[phones.desk]\nuser = "mei"\n${phone}\n` : ''}
[agents."mei@example.com"]
number = "1001"
name = "Mei Tanaka"
groups = ["Orders", "Returns"]
password_env = "AGENT_PASSWORD"
${phone ? 'phone = "desk"' : ''}

[agents."tom@example.com"]
number = "1002"
name = "Tom Berg"
groups = ["Orders"]
password_env = "AGENT_PASSWORD"

[agents."ada@example.com"]
number = "1000"
name = "Ada Admin"
role = "admin"
password_env = "AGENT_PASSWORD"

[[numbers]]
did = "${DID}"
group = "Orders"

[[numbers]]
did = "${OTHER_DID}"
trunk = "other"
group = "Orders"

[[numbers]]
did = "${EARLY_DID}"
group = "Orders"
early_media = true

[[numbers]]
did = "${TOLD_DID}"
group = "Returns"

[[numbers]]
did = "${TOLD_EARLY_DID}"
group = "Returns"
early_media = true
`;
const PASSWORD = 'blue-Kettle-42';
export const PHONE_PASSWORD = 'slow-Train-to-9-Elms';

export class Stage {
  did = DID;
  /** Shown to who is called over the other carrier. */
  otherDid = OTHER_DID;
  earlyDid = EARLY_DID;
  toldDid = TOLD_DID;
  toldEarlyDid = TOLD_EARLY_DID;
  accounts = {
    mei: { email: 'mei@example.com', password: PASSWORD },
    tom: { email: 'tom@example.com', password: PASSWORD },
    ada: { email: 'ada@example.com', password: PASSWORD },
  };
  #browsers = [];
  #own;
  #tom;
  #admin;
  #calls = [];
  #microphones = {};
  /** The keys of the phone in the floor file. */
  #phone;
  #carriers = {};
  #phonePort;

  /**
   * Starts the switch and, unless told otherwise, has Mei log in and go online. With `phone` she answers on a SIP phone at a fixed
   * address; with `'registers'` or `'registers by MD5'` on one that tells where it is.
   * `misses` in a row set an agent busy; `settings` is TOML for the floor's beginning, `outbound` for what may be called; `media` is where
   * browsers send their voices.
   */
  async open({ agent = true, phone = false, misses = 3, settings = '', outbound = '', media } = {}) {
    if (phone === true) this.#phonePort = await freePort();
    if (phone) this.#phone = this.#phonePort ? `addr = "127.0.0.1:${this.#phonePort}"` : 'register = true\npassword_env = "PHONE_PASSWORD"';
    if (phone === 'registers by MD5') this.#phone += '\nmd5 = true';
    this.#carriers = { carrier: await freePort(), other: await freePort() };
    const text = floor({ misses, phone: this.#phone, settings, outbound, ...this.#carriers });
    const environment = { AGENT_PASSWORD: PASSWORD, PHONE_PASSWORD };
    this.switch = await Switch.create({ floor: text, environment, media, database: process.env.STAGE_DATABASE });
    if (agent) await this.meiAgain();
  }

  async close() {
    await Promise.all(this.#browsers.map((browser) => browser.close().catch(() => {})));
    await this.hangUpAll();
    await this.switch?.stop();
  }

  /** One more browser: its microphone says a sentence of SENTENCES, or is `silent`, or there is none. */
  async browser({ microphone = 'agent' } = {}) {
    const browser = await openBrowser(microphone === 'none' ? undefined : this.#microphone(microphone));
    this.#browsers.push(browser);
    return browser;
  }

  /** One of other_browsers.mjs; its microphone says a sentence of SENTENCES where the browser can. */
  async otherBrowser(open, microphone) {
    const browser = await open(this.#microphone(microphone));
    this.#browsers.push(browser);
    return browser;
  }

  /** Mei at her own desk, logged in anew and online. */
  async meiAgain() {
    this.#own ??= await this.browser({ microphone: this.#phone ? 'none' : 'agent' });
    await this.mei?.page.close();
    await this.#own.clearCookies();
    this.mei = await Workstation.logIn(this.#own, this.switch.url, this.accounts.mei);
    await (this.#phone ? this.mei.goOnlineByPhone() : this.mei.goOnline());
  }

  /** Tom in a browser of his own, logged in and offline. */
  async tom({ microphone = 'agent' } = {}) {
    this.#tom ??= await Workstation.logIn(await this.browser({ microphone }), this.switch.url, this.accounts.tom);
    return this.#tom;
  }

  /** Ada, who sees every record, in a browser of her own. */
  async admin() {
    this.#admin ??= await Workstation.logIn(await this.browser(), this.switch.url, this.accounts.ada);
    return this.#admin;
  }

  /** SIPp calls; the customer says a sentence again and again. */
  async customerCalls({ scenario = 'call', did = DID, caller } = {}) {
    const audio = await CallerAudio.open(spokenUlaw(SENTENCES.caller));
    const sipp = await placeCall(scenario, { sipPort: this.switch.sipPort, did, audio, caller });
    this.#calls.push({ audio, sipp });
    return { audio, sipp };
  }

  /**
   * Somebody behind a carrier who is called next, by a scenario of SIPp. Early media is a sentence of its own; `talks` begins the caller's sentence.
   * `other`: behind the other carrier. `address`: behind none, at a port of its own there.
   */
  async callee(scenario = 'callee', { words, other = false, address } = {}) {
    const own = address && { address, port: await freePort() };
    const where = own ?? (other ? { address: OTHER_CARRIER, port: this.#carriers.other } : { port: this.#carriers.carrier });
    const [callee] = await this.#callees(1, scenario, { ...where, words });
    return callee;
  }

  /** Two behind one carrier: one is called first, and then the other. Else as `callee`. */
  calleesInTurn(scenario = 'callee') {
    return this.#callees(2, scenario, { port: this.#carriers.carrier });
  }

  async #callees(count, scenario, where) {
    const audios = await Promise.all(Array.from({ length: count }, () => CallerAudio.open(spokenUlaw(SENTENCES.network))));
    return openPhonesInTurn(scenario, { ...where, audios }).map((callee, n) => {
      const audio = audios[n];
      callee.rings.then(({ media }) => media && audio.speakTo(media), () => {});
      this.#calls.push({ audio, sipp: callee });
      return Object.assign(callee, { audio, port: where.port, talks: (sentence = SENTENCES.caller) => audio.say(spokenUlaw(sentence)) });
    });
  }

  /** Mei's phone takes one call by that scenario of SIPp; whoever lifts it says a sentence again and again. */
  async phone(scenario = 'phone') {
    const audio = await CallerAudio.open(spokenUlaw(SENTENCES.agent));
    const phone = openPhone(scenario, { port: this.#phonePort, audio });
    this.#calls.push({ audio, sipp: phone });
    return Object.assign(phone, { audio });
  }

  /** For a test that failed: the switch's log and pictures of the pages. */
  async leaveTraces(test) {
    const folder = traces(test);
    writeFileSync(join(folder, 'switch.log'), this.switch.log);
    const pages = this.#browsers.flatMap((browser) => browser.pages());
    await Promise.all(pages.map((page, n) => page.screenshot({ path: join(folder, `page-${n}.png`) }).catch(() => {})));
    console.log(`The switch's log and the pages: ${folder}`);
  }

  /** A switch that knows of no call, and Mei online if she works on this stage. */
  async afresh() {
    await this.hangUpAll();
    await this.switch.kill();
    await this.switch.start();
    if (this.mei) await this.meiAgain();
  }

  /** What is left of the calls so far. */
  async hangUpAll() {
    for (const { audio, sipp } of this.#calls.splice(0)) {
      await sipp.giveUp();
      audio.close();
    }
  }

  /** The one record of that call as the agent's page gets it, its recording ready. */
  async recordOf(station, sipp) {
    const [record] = await this.recordsOf(station, sipp);
    return record;
  }

  async recordsOf(station, sipp) {
    const ask = (from) => fetch(`/api/v1/records?from=${from}`).then((response) => response.json());
    const deadline = Date.now() + 20_000;
    for (;;) {
      const { items } = await station.page.evaluate(ask, sipp.placed);
      // What a killed switch recorded is put beside the call's record a moment after that.
      const ready = items.every(({ recording, status }) => (recording ? ['ready', 'recovered', 'failed'].includes(recording.state) : status !== 'interrupted'));
      if (items.length > 0 && ready) return items;
      if (Date.now() > deadline) throw new Error(`no settled records: ${JSON.stringify(items)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Back to the page where calls are answered. */
  async backToWork(station) {
    await station.page.goto(this.switch.url);
    await station.peer('up');
  }

  #microphone(name) {
    this.#microphones[name] ??= name === 'silent' ? silence() : say(SENTENCES[name], { rate: 48_000 });
    return this.#microphones[name];
  }
}

function silence() {
  const path = join(newFolder('silence'), 'silence.wav');
  writeWav(path, new Float32Array(RATE), RATE);
  return path;
}
