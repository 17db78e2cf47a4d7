// The switch as an operator runs it: one process, its own data folder and free ports.
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { RATE, writeWav } from './audio.mjs';
import { freePort, rtpRange } from './ports.mjs';
import { newFolder } from './work_folder.mjs';

const root = join(import.meta.dirname, '../..');
const binary = process.env.CORDBOARD_BIN ?? resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/cordboard');

export class Switch {
  #process;
  #data = newFolder('switch');
  #environment;
  #arguments = [];

  /**
   * A switch with that floor applied, ready for calls. `environment` is for the floor's passwords; `database` is `sqlite` or `postgres`;
   * `rtpPorts` is how many ports there are for RTP and RTCP, two a call; `media` is the address of this machine that browsers are told;
   * `sounds` are WAV files of its own, samples at 8 kHz by name.
   */
  static async create({ floor, environment, database = 'sqlite', rtpPorts, media, sounds = {} }) {
    const made = await Switch.#prepare({ environment, rtpPorts, media, newDatabase: database === 'postgres' ? newPostgres : undefined });
    const file = join(made.#data, 'floor.toml');
    writeFileSync(file, floor);
    mkdirSync(join(made.#data, 'sounds'));
    for (const [name, samples] of Object.entries(sounds)) writeWav(join(made.#data, 'sounds', `${name}.wav`), samples, RATE);
    made.run('apply', file);
    await made.start();
    return made;
  }

  /** A switch with the demo floor and a simulated carrier, as `make run` starts it. */
  static async demo() {
    const made = await Switch.#prepare({});
    made.#arguments = ['--demo'];
    await made.start();
    return made;
  }

  static async #prepare({ environment = {}, rtpPorts = 200, media = '127.0.0.1', newDatabase }) {
    const made = new Switch();
    [made.httpPort, made.sipPort, made.sipTlsPort, made.mediaPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const rtp = await rtpRange(rtpPorts);
    made.#environment = {
      ...process.env,
      ...environment,
      CORDBOARD_WEB__LISTEN: `127.0.0.1:${made.httpPort}`,
      CORDBOARD_SIP__UDP: `127.0.0.1:${made.sipPort}`,
      CORDBOARD_SIP__TCP: `127.0.0.1:${made.sipPort}`,
      CORDBOARD_SIP__TLS: `127.0.0.1:${made.sipTlsPort}`,
      CORDBOARD_MEDIA__BROWSER: `${media}:${made.mediaPort}`,
      CORDBOARD_MEDIA__RTP_PORTS: `${rtp}-${rtp + rtpPorts - 1}`,
    };
    const url = newDatabase?.(basename(made.#data));
    if (url) made.#environment.CORDBOARD_DATABASE__URL = url;
    return made;
  }

  get url() {
    return `http://127.0.0.1:${this.httpPort}/`;
  }

  /** Of its process, as the kernel knows it. */
  get pid() {
    return this.#process.pid;
  }

  /** What it said on its standard output and error, all starts together. */
  get log() {
    return readFileSync(join(this.#data, 'log'), 'utf8');
  }

  /** Where its database is, when that is SQLite. */
  get database() {
    return join(this.#data, 'cordboard.sqlite');
  }

  /** Its certificate, when it made its own. */
  get certificate() {
    return join(this.#data, 'tls/cert.pem');
  }

  /** The recordings it keeps, by file name. */
  get recordings() {
    return readdirSync(join(this.#data, 'recordings')).filter((name) => name.endsWith('.mp3'));
  }

  /** A further command beside `serve`, with the same settings; its output. */
  run(...command) {
    return execFileSync(binary, [...command, '--data', this.#data], { env: this.#environment, encoding: 'utf8' });
  }

  /** Starts it, again after `stop` or `kill`, and waits until it takes calls. */
  async start() {
    const log = createWriteStream(join(this.#data, 'log'), { flags: 'a' });
    this.#process = spawn(binary, ['serve', '--data', this.#data, ...this.#arguments], { env: this.#environment });
    const started = this.#process;
    process.once('exit', () => started.kill('SIGKILL'));
    started.stdout.pipe(log, { end: false });
    started.stderr.pipe(log, { end: false });
    const deadline = Date.now() + 30_000;
    while (!(await this.#isReady())) {
      if (this.#process.exitCode !== null) throw new Error(`the switch ended with ${this.#process.exitCode}:\n${this.log}`);
      if (Date.now() > deadline) throw new Error(`the switch is not ready:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Types a line at its terminal. */
  type(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  stop() {
    return this.#end('SIGTERM');
  }

  kill() {
    return this.#end('SIGKILL');
  }

  async #isReady() {
    try {
      return (await fetch(`${this.url}readyz`)).ok;
    } catch {
      return false;
    }
  }

  async #end(signal) {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill(signal);
    // A drain that never ends is not waited for.
    const patience = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(patience);
    const panic = this.log.match(/.*panicked at[^]{0,300}/);
    if (panic) throw new Error(`the switch panicked: ${panic[0]}`);
  }
}

/** The URL of a new database on the server that `with-postgres` started. */
function newPostgres(name) {
  const server = process.env.CORDBOARD_TEST_PG;
  if (!server) throw new Error('no PostgreSQL: run this under tests/support/with-postgres');
  execFileSync('psql', [server, '-q', '-c', `CREATE DATABASE "${name}"`]);
  return server.replace('/postgres?', `/${name}?`);
}
