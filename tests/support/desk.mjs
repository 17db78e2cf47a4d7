// An agent's workstation without a page: the socket, what it told, and what the agent asks. It has no voice: its agent answers on a phone.
import { createRequire } from 'node:module';

const { WebSocket } = createRequire(new URL('../../web/package.json', import.meta.url))('ws');

const PATIENCE = 10_000;

/** Logs in; the session's cookie. */
export async function logIn(url, { email, password }) {
  const response = await fetch(`${url}api/v1/login`, {
    method: 'POST',
    // Who counts the switch's descriptors does not find this one.
    headers: { origin: url.slice(0, -1), 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ email, password }),
  });
  if (!response.ok) throw new Error(`${email} is not logged in: ${response.status} ${await response.text()}`);
  return response.headers.get('set-cookie').split(';')[0];
}

export class Desk {
  /** What the page would show. */
  agent;
  offer = null;
  /** By call. */
  sessions = new Map();
  /** By the group's name. */
  queues = new Map();
  /** Who can be transferred to, or consulted, when it was asked. */
  targets;
  /** Of its session, for what is asked over HTTP. */
  cookie;
  #email;
  #socket;
  #asked = 0;
  #answers = new Map();
  #waiting = new Set();
  #dead;

  /** Logs in and opens the socket; resolves when the snapshot is there. */
  static async open(url, account) {
    const desk = new Desk();
    desk.#email = account.email;
    desk.cookie = await logIn(url, account);
    desk.#socket = new WebSocket(`${url.replace('http', 'ws')}ws`, { origin: url.slice(0, -1), headers: { cookie: desk.cookie } });
    desk.#socket.on('message', (text) => desk.#hear(JSON.parse(text).tell));
    const dead = (why) => {
      desk.#dead = new Error(`${account.email}: ${why}`);
      desk.#look();
    };
    desk.#socket.on('error', (error) => dead(error.message));
    desk.#socket.on('close', () => dead('the socket is closed'));
    await desk.when(() => desk.agent, 'a snapshot');
    return desk;
  }

  /** Asks the switch for something; rejects with the code when it refuses. */
  ask(type, more = {}) {
    const id = ++this.#asked;
    this.#socket.send(JSON.stringify({ id, ask: { type, ...more } }));
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  /** Asks for something in the newest session. */
  async inCall(type, more) {
    await this.ask(type, { call: [...this.sessions.keys()].at(-1), ...more });
  }

  /** The group or agent of that name, as a target of `transfer` and `consult`. */
  async target(type, name) {
    await this.ask('targets', { search: '' });
    const { groups, agents } = await this.when(() => this.targets, 'targets');
    const { id } = (type === 'group' ? groups : agents).find((target) => target.name === name);
    return { type, id };
  }

  async choose(state) {
    await this.ask('setState', { state, breakReason: null });
    await this.when(() => this.agent.state === state, `the state ${state}`);
  }

  /** Resolves with what `look` gives, once that is something. */
  when(look, what, patience = PATIENCE) {
    return new Promise((resolve, reject) => {
      const settle = (act, value) => {
        clearTimeout(timer);
        this.#waiting.delete(turn);
        act(value);
      };
      const turn = () => {
        const found = look();
        if (found) settle(resolve, found);
        else if (this.#dead) settle(reject, this.#dead);
      };
      const late = () => settle(reject, new Error(`${this.#email} does not see ${what} but ${JSON.stringify([this.agent, this.offer, [...this.sessions.values()]])}`));
      const timer = setTimeout(late, patience);
      this.#waiting.add(turn);
      turn();
    });
  }

  /** Resolves with the newest session when it is like that, such as `{ phase: 'talking', held: true }`. */
  session(like, patience) {
    const fits = () => {
      const session = [...this.sessions.values()].at(-1);
      return session && Object.entries(like).every(([key, value]) => session[key] === value) && session;
    };
    return this.when(fits, `a session like ${JSON.stringify(like)}`, patience);
  }

  rings() {
    return this.when(() => this.offer, 'a ring');
  }

  ringsNoMore() {
    return this.when(() => this.offer === null, 'the end of the ring');
  }

  close() {
    this.#socket.removeAllListeners('close');
    this.#socket.close();
  }

  #hear(tell) {
    if (tell.type === 'snapshot') {
      [this.agent, this.offer] = [tell.agent, tell.offer];
      for (const queue of tell.queues) this.queues.set(queue.name, queue);
      for (const session of [...tell.sessions].reverse()) this.sessions.set(session.call, session);
    } else if (tell.type === 'agent') this.agent = tell;
    else if (tell.type === 'offer') this.offer = tell.offer;
    else if (tell.type === 'queues') for (const queue of tell.queues) this.queues.set(queue.name, queue);
    else if (tell.type === 'session') this.sessions.set(tell.call, tell);
    else if (tell.type === 'targets') this.targets = tell;
    else if (tell.type === 'done') this.#answers.get(tell.id)?.resolve();
    else if (tell.type === 'refused') this.#answers.get(tell.id)?.reject(new Error(`${this.#email} is refused: ${tell.code}`));
    this.#look();
  }

  #look() {
    for (const turn of [...this.#waiting]) turn();
  }
}
