// A hundred agents in one process: `loadtest agents`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '../..');
const binary = process.env.LOADTEST_BIN ?? resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/loadtest');
/** Logging in hashes a password for each. */
const PATIENCE = 120_000;

export class Agents {
  /** What went wrong at a desk, one line each. */
  problems = [];
  #process;
  #ready;
  #summary;

  /** The address of agent n, from 1. */
  static address = (n) => `load${n}@example.com`;
  /** The tone that agent n sends, hertz. */
  static tone = (n) => 400 + 10 * n;

  /** In calls of other groups than `second` they hold, transfer and consult as the last digits of the customer's number say. */
  constructor({ url, count, password, second }) {
    const options = ['agents', '--url', url, '--pattern', Agents.address('{n}'), '--count', `${count}`, '--password-env', 'AGENT_PASSWORD', '--second', second];
    this.#process = spawn(binary, options, { env: { ...process.env, AGENT_PASSWORD: password }, stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise((_, reject) => {
      this.#process.on('error', reject);
      this.#process.on('close', (code) => reject(new Error(`the agents ended with ${code}: ${this.problems.join('; ')}`)));
    });
    const said = (event) =>
      Promise.race([ended, new Promise((resolve) => this.#process.on(event, resolve))]);
    this.#ready = said('ready');
    this.#summary = said('summary');
    // Whoever waits for it hears of a failure.
    for (const promise of [ended, this.#ready, this.#summary]) promise.catch(() => {});
    createInterface(this.#process.stdout).on('line', (line) => {
      const { event, ...told } = JSON.parse(line);
      if (event === 'problem') this.problems.push(`${told.agent}: ${told.what}`);
      else this.#process.emit(event, told);
    });
  }

  /** Resolves when all of them are available. */
  async ready() {
    let patience;
    const tooLong = new Promise((_, reject) => {
      patience = setTimeout(() => reject(new Error(`not all agents are available: ${this.problems.join('; ')}`)), PATIENCE);
    });
    await Promise.race([this.#ready, tooLong]).finally(() => clearTimeout(patience));
  }

  /** They go home; what each of them has done. */
  async stop() {
    this.#process.stdin.end();
    const { agents } = await this.#summary;
    return agents;
  }

  kill() {
    this.#process.kill('SIGKILL');
  }
}
