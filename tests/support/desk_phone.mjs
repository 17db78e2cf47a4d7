// A desk phone that registers: baresip, told what to do and telling what happens over its control connection (netstrings of JSON).
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readWav } from './audio.mjs';
import { freePair, freePort } from './ports.mjs';
import { newFolder } from './work_folder.mjs';

const LOOPBACK = '127.0.0.1';

const PATIENCE = 20_000;

export class DeskPhone {
  /** What it told so far, such as `{ type: 'CALL_INCOMING' }`. */
  events = [];
  #folder = newFolder('baresip');
  #process;
  #control;
  #waiting = new Set();
  #asked = 0;
  #log = '';

  /**
   * Switches the phone on: it registers at `port` by `transport`, trusting `certificate` (a PEM file) where that is TLS.
   * Lifted, it says the WAV file `speech`. Its own address is `address`. Without a password it does not register: a customer's telephone.
   */
  static async open({ user, password, transport, port, certificate, speech, address = LOOPBACK }) {
    const phone = new DeskPhone();
    const [sip, control] = [await freePair(), await freePort()];
    const config = [
      `sip_listen ${address}:${sip}`,
      ...(certificate ? [`sip_cafile ${certificate}`, 'sip_verify_server yes'] : []),
      `ctrl_tcp_listen ${LOOPBACK}:${control}`,
      `audio_source aufile,${speech}`,
      'audio_player aubridge,null',
      'audio_alert aubridge,alert',
      'audio_srate 8000-8000',
      'audio_channels 1-1',
      // Above the switches'.
      'rtp_ports 31000-32700',
      'module_path /usr/lib/baresip/modules',
      `snd_path ${phone.#folder}`,
      ...['g711', 'aufile', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`),
      ...['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    ];
    writeFileSync(join(phone.#folder, 'config'), `${config.join('\n')}\n`);
    const account = `<sip:${user}@${LOOPBACK}:${port};transport=${transport}>;${password ? `auth_user=${user};auth_pass=${password};regint=60` : 'regint=0'}`;
    writeFileSync(join(phone.#folder, 'accounts'), `${account};audio_codecs=PCMU/8000/1;answermode=manual\n`);
    phone.#process = spawn('baresip', ['-f', phone.#folder], { cwd: phone.#folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const last = () => phone.#process.kill('SIGKILL');
    process.once('exit', last);
    phone.#process.once('exit', () => process.off('exit', last));
    for (const stream of [phone.#process.stdout, phone.#process.stderr]) stream.on('data', (text) => phone.#hear(text));
    await phone.#listen(control);
    return phone;
  }

  /** Resolves when the switch has registered it. */
  registered() {
    return this.#when(() => /: \{.*\} 200 OK/.test(this.#log), 'register');
  }

  /** Resolves with the status that its registration ended with. */
  async refused() {
    return (await this.#when(() => this.#log.match(/reg: \S+ (\d{3}) /), 'be refused'))[1];
  }

  /** Resolves with the event of that type, the first since the event number `from`. */
  tells(type, from = 0) {
    return this.#when(() => this.events.slice(from).find((event) => event.type === type), `tell ${type}`);
  }

  async #when(look, what) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const found = look();
      if (found) return found;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the phone did not ${what}, but ${JSON.stringify(this.events)}\n${this.#log}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  lift() {
    this.#ask('accept');
  }

  hangUp() {
    this.#ask('hangup');
  }

  dial(address) {
    this.#ask('dial', address);
  }

  hold() {
    this.#ask('hold');
  }

  resume() {
    this.#ask('resume');
  }

  /** By RFC 4733. */
  press(keys) {
    this.#ask('sndcode', keys);
  }

  /** Samples that it heard in its last call, which is over, at the rate of telephony. */
  heard() {
    const files = readdirSync(this.#folder).filter((name) => name.startsWith('dump-') && name.endsWith('-dec.wav'));
    return files.length ? readWav(join(this.#folder, files.sort().at(-1))).samples : new Float32Array();
  }

  /** As when its cable is pulled. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** It takes back its registration. */
  switchOff() {
    return this.#end('SIGTERM');
  }

  async #end(signal) {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill(signal);
    await ended;
  }

  async #listen(port) {
    for (let tries = 0; !this.#control; tries++) {
      if (tries > 200 || this.#process.exitCode !== null) throw new Error(`baresip does not listen:\n${this.#log}`);
      this.#control = await new Promise((resolve) => {
        const socket = connect(port, LOOPBACK, () => resolve(socket));
        socket.once('error', () => setTimeout(resolve, 50));
      });
    }
    this.#control.on('error', () => {});
    let text = '';
    this.#control.on('data', (data) => {
      text += data;
      for (;;) {
        const [head, length] = text.match(/^(\d+):/) ?? [];
        if (!head || text.length < head.length + Number(length) + 1) return;
        const message = JSON.parse(text.slice(head.length, head.length + Number(length)));
        text = text.slice(head.length + Number(length) + 1);
        if (message.event) this.events.push(message);
        this.#wake();
      }
    });
  }

  #hear(text) {
    this.#log += text;
    this.#wake();
  }

  #wake() {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #ask(command, params) {
    const message = JSON.stringify({ command, params, token: `${++this.#asked}` });
    this.#control.write(`${message.length}:${message},`);
  }
}
