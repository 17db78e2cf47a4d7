import type { Ask, FromSwitch, ToWorkstation } from '../generated/wire'

/** What the socket needs of the browser; tests give fakes. */
export interface Surroundings {
  open(): WebSocketLike
  now(): number
  /** 0 to 1. */
  random(): number
  after(milliseconds: number, act: () => void): unknown
  cancel(timer: unknown): void
}

export interface WebSocketLike {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(): void
}

export interface Listeners {
  told(tell: ToWorkstation): void
  asked(id: number, ask: Ask): void
  connecting(): void
  /** The socket is away; the next try is planned already. */
  lost(): void
  roundTrip(milliseconds: number): void
  /** The switch closed before the first message: perhaps the login has ended. Answers whether to try on. */
  refused(): Promise<boolean>
}

/** How a request ended: done, refused by the switch, or the socket went away first. */
export type Outcome = { is: 'done' } | { is: 'refused'; code: string; message: string } | { is: 'lost' }

const FIRST_WAIT = 400
const LONGEST_WAIT = 8000
/** Not at once: the page draws itself first, and that would be measured too. */
const FIRST_PING = 800
const PING_EVERY = 2000
/** A socket that says nothing for so long after a ping is dead, whatever the browser believes (B3). */
const PING_TIMEOUT = 3000
/** The same when there is reason to doubt it. */
const PROBE_TIMEOUT = 1000
/** A try that nobody answers is given up: what was sent into a dead network does not arrive when it is back. Tries beyond those of the grace time wait longer. */
const ANSWER_TIMEOUT = 2000
const QUICK_TRIES = 20
const SLOW_ANSWER_TIMEOUT = 8000
/** Hearing nothing before the snapshot is a failed try too. */
const SNAPSHOT_TIMEOUT = 8000
/** How long the question whether the login has ended holds up the next try. */
const REFUSED_TIMEOUT = 2000

/** The socket to the switch: numbered messages, requests with answers, and reconnecting with growing, jittered pauses. */
export class SwitchSocket {
  private socket: WebSocketLike | null = null
  private running = false
  private ready = false
  private lastSeq = 0
  private tries = 0
  /** Tries in a row that nobody answered. */
  private unanswered = 0
  /** The switch has answered this try. */
  private answered = false
  private nextId = 1
  private waiting = new Map<number, (outcome: Outcome) => void>()
  private timer: unknown = null
  private pingTimer: unknown = null
  private pingSent: { id: number; at: number } | null = null

  constructor(
    private readonly around: Surroundings,
    private readonly listeners: Listeners,
  ) {}

  start() {
    if (this.running) return
    this.running = true
    this.begin()
  }

  /** Closes for good, until `start`. */
  stop() {
    this.running = false
    this.drop()
  }

  /** The network is back: try now instead of waiting on. */
  hurry() {
    if (!this.running || this.ready || this.answered) return
    this.drop()
    this.begin()
  }

  /** There is reason to doubt an open socket: find out soon whether it still lives. */
  probe() {
    if (!this.ready) return
    this.ping()
    this.expectPong(PROBE_TIMEOUT)
  }

  /** Sends a request. The outcome always comes. */
  ask(ask: Ask): Promise<Outcome> {
    if (!this.ready || !this.socket) return Promise.resolve<Outcome>({ is: 'lost' })
    const id = this.nextId++
    this.listeners.asked(id, ask)
    const outcome = new Promise<Outcome>(resolve => this.waiting.set(id, resolve))
    this.socket.send(JSON.stringify({ id, ask }))
    return outcome
  }

  private begin() {
    this.tries = 0
    this.unanswered = 0
    this.connect()
  }

  private connect() {
    this.listeners.connecting()
    const socket = this.around.open()
    this.socket = socket
    const patience = this.unanswered < QUICK_TRIES ? ANSWER_TIMEOUT : SLOW_ANSWER_TIMEOUT
    this.timer = this.around.after(patience, () => this.fail(true))
    socket.onopen = () => {
      if (this.socket !== socket) return
      this.answered = true
      this.unanswered = 0
      this.around.cancel(this.timer)
      this.timer = this.around.after(SNAPSHOT_TIMEOUT, () => this.fail())
    }
    socket.onmessage = event => {
      if (this.socket === socket) this.read(event.data)
    }
    socket.onclose = () => {
      if (this.socket === socket) this.fail()
    }
  }

  private read(data: unknown) {
    const message = parse(data)
    if (!message) return this.fail()
    if (message.tell.type === 'snapshot') {
      this.ready = true
      this.tries = 0
      this.unanswered = 0
      this.around.cancel(this.timer)
      this.lastSeq = message.seq
      this.listeners.told(message.tell)
      this.planPing(FIRST_PING)
      return
    }
    // A gap means a message went missing: a new snapshot puts it right.
    if (!this.ready || message.seq !== this.lastSeq + 1) return this.fail()
    this.lastSeq = message.seq
    const tell = message.tell
    if (tell.type === 'done' || tell.type === 'refused') this.settle(tell)
    this.listeners.told(tell)
    if (tell.type === 'takenOver' || tell.type === 'loggedOut') this.stop()
  }

  private settle(tell: Extract<ToWorkstation, { type: 'done' | 'refused' }>) {
    if (this.pingSent && this.pingSent.id === tell.id) {
      this.listeners.roundTrip(this.around.now() - this.pingSent.at)
      this.pingSent = null
      this.planPing(PING_EVERY)
    }
    const resolve = this.waiting.get(tell.id)
    this.waiting.delete(tell.id)
    if (!resolve) return
    resolve(tell.type === 'done' ? { is: 'done' } : { is: 'refused', code: tell.code, message: tell.message })
  }

  private planPing(wait: number) {
    this.around.cancel(this.pingTimer)
    this.pingTimer = this.around.after(wait, () => this.ping())
  }

  private ping() {
    if (this.pingSent || !this.ready) return
    this.around.cancel(this.pingTimer)
    this.pingSent = { id: this.nextId, at: this.around.now() }
    this.expectPong(PING_TIMEOUT)
    void this.ask({ type: 'ping' })
  }

  private expectPong(within: number) {
    this.around.cancel(this.pingTimer)
    this.pingTimer = this.around.after(within, () => this.fail(true))
  }

  /** The socket is of no use any more: drop it and plan the next try. */
  private fail(silent = false) {
    const wasReady = this.ready
    this.drop()
    if (!this.running) return
    this.listeners.lost()
    // Who hears nothing need not be spared, nor asked what it had against this page.
    if (silent) {
      this.unanswered++
      return this.connect()
    }
    let planned = false
    const again = () => {
      if (!this.running || this.socket || planned) return
      planned = true
      // A restarted switch is not met by all its workstations at once.
      const ceiling = Math.min(LONGEST_WAIT, FIRST_WAIT * Math.pow(2, this.tries++))
      this.timer = this.around.after(ceiling * (0.5 + this.around.random() / 2), () => this.connect())
    }
    if (wasReady) return again()
    // The answer may be swallowed by a network that falls silent.
    const patience = this.around.after(REFUSED_TIMEOUT, again)
    this.timer = patience
    this.listeners.refused().then(
      tryOn => {
        this.around.cancel(patience)
        if (tryOn) again()
        else this.stop()
      },
      () => again(),
    )
  }

  private drop() {
    this.around.cancel(this.timer)
    this.around.cancel(this.pingTimer)
    this.pingSent = null
    this.ready = false
    this.answered = false
    const socket = this.socket
    this.socket = null
    if (socket) socket.close()
    const waiting = this.waiting
    this.waiting = new Map()
    waiting.forEach(resolve => resolve({ is: 'lost' }))
  }
}

function parse(data: unknown): FromSwitch | null {
  if (typeof data !== 'string') return null
  try {
    const message: unknown = JSON.parse(data)
    if (typeof message !== 'object' || message === null) return null
    const { seq, tell } = message as { seq?: unknown; tell?: { type?: unknown } }
    return typeof seq === 'number' && tell && typeof tell.type === 'string' ? (message as FromSwitch) : null
  } catch (_) {
    return null
  }
}

/** The browser's own surroundings. The switch knows by a number which of its sockets were this page's: the newest takes the place of an older one that died. */
export function browserSurroundings(): Surroundings {
  const page = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  return {
    open: () => {
      const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
      return new WebSocket(`${scheme}://${location.host}/ws?page=${page}`) as unknown as WebSocketLike
    },
    now: () => performance.now(),
    random: Math.random,
    after: (milliseconds, act) => setTimeout(act, milliseconds),
    cancel: timer => clearTimeout(timer as number | undefined),
  }
}
