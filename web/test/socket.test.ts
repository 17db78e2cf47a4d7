import { beforeEach, describe, expect, it } from 'vitest'
import type { Ask, ToWorkstation } from '../src/generated/wire'
import { SwitchSocket, type Outcome, type WebSocketLike } from '../src/services/socket'
import { FakeClock, settled } from './clock'
import { snapshot } from './fixtures'

class FakeSocket implements WebSocketLike {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: { id: number; ask: Ask }[] = []
  closed = false
  private seq = 40

  send(text: string) {
    this.sent.push(JSON.parse(text) as { id: number; ask: Ask })
  }

  close() {
    this.closed = true
  }

  tell(tell: ToWorkstation, seq = this.seq++) {
    this.onmessage?.({ data: JSON.stringify({ seq, tell }) })
  }

  raw(data: unknown) {
    this.onmessage?.({ data })
  }

  breaks() {
    this.onclose?.({ code: 1006 })
  }

  last(): { id: number; ask: Ask } {
    const last = this.sent[this.sent.length - 1]
    if (!last) throw new Error('nothing was sent')
    return last
  }
}

let clock: FakeClock
let sockets: FakeSocket[]
let log: string[]
let loggedIn: boolean
let answer: Promise<boolean> | null
let socket: SwitchSocket

function current(): FakeSocket {
  const last = sockets[sockets.length - 1]
  if (!last) throw new Error('no socket')
  return last
}

beforeEach(() => {
  clock = new FakeClock()
  sockets = []
  log = []
  loggedIn = true
  answer = null
  socket = new SwitchSocket(
    {
      open: () => {
        const made = new FakeSocket()
        sockets.push(made)
        return made
      },
      now: clock.now,
      random: () => 1,
      after: clock.after,
      cancel: clock.cancel,
    },
    {
      told: tell => log.push(tell.type),
      asked: (_, ask) => log.push(`asked ${ask.type}`),
      connecting: () => log.push('connecting'),
      lost: () => log.push('lost'),
      roundTrip: milliseconds => log.push(`trip ${milliseconds}`),
      refused: () => answer || Promise.resolve(loggedIn),
    },
  )
})

function open(): FakeSocket {
  socket.start()
  current().tell(snapshot())
  return current()
}

describe('requests', () => {
  it('carry ids and get their own answers, in whatever order', async () => {
    const there = open()
    const outcomes: { [name: string]: Outcome } = {}
    void socket.ask({ type: 'hold', call: 'c' }).then(o => (outcomes.hold = o))
    void socket.ask({ type: 'mute', call: 'c' }).then(o => (outcomes.mute = o))
    const [hold, mute] = there.sent
    expect([hold?.ask, mute?.ask]).toEqual([
      { type: 'hold', call: 'c' },
      { type: 'mute', call: 'c' },
    ])
    there.tell({ type: 'refused', id: mute?.id ?? 0, code: 'x', message: 'No.' })
    there.tell({ type: 'done', id: hold?.id ?? 0 })
    await settled()
    expect(outcomes).toEqual({ hold: { is: 'done' }, mute: { is: 'refused', code: 'x', message: 'No.' } })
  })

  it('are lost with the socket, and never sent without one', async () => {
    const there = open()
    const asked = socket.ask({ type: 'hold', call: 'c' })
    there.breaks()
    expect(await asked).toEqual({ is: 'lost' })
    expect(await socket.ask({ type: 'hold', call: 'c' })).toEqual({ is: 'lost' })
    expect(sockets).toHaveLength(1)
  })
})

describe('numbered messages', () => {
  it('reconnect after a gap, so that nothing is missed', async () => {
    const there = open()
    there.tell({ type: 'audioOwner', mine: true })
    there.tell({ type: 'audioOwner', mine: false }, 99)
    expect(there.closed).toBe(true)
    expect(log.filter(entry => entry === 'audioOwner')).toHaveLength(1)
    await clock.pass(400)
    expect(sockets).toHaveLength(2)
    current().tell(snapshot(), 7)
    current().tell({ type: 'audioOwner', mine: true }, 8)
    expect(log.filter(entry => entry === 'audioOwner')).toHaveLength(2)
  })

  it('reconnect after what is no message', () => {
    for (const nonsense of ['{', '42', '{"seq":"1","tell":{"type":"done"}}', '{"seq":41}', new ArrayBuffer(2)]) {
      const before = sockets.length
      socket.stop()
      const there = open()
      there.raw(nonsense)
      expect(there.closed).toBe(true)
      expect(sockets.length).toBe(before + 1)
    }
  })

  it('of a socket that was given up are not heard any more', () => {
    const old = open()
    old.breaks()
    const before = log.length
    old.tell({ type: 'audioOwner', mine: true })
    expect(log).toHaveLength(before)
  })
})

// B3
describe('reconnecting', () => {
  it('pauses longer and longer, up to eight seconds', async () => {
    open().breaks()
    const pauses: number[] = []
    for (let i = 0; i < 7; i++) {
      const count = sockets.length
      const from = clock.time
      while (sockets.length === count) await clock.pass(100)
      pauses.push(clock.time - from)
      current().breaks()
      await settled()
    }
    expect(pauses).toEqual([400, 800, 1600, 3200, 6400, 8000, 8000])
  })

  it('begins anew with short pauses after a success', async () => {
    open().breaks()
    await clock.pass(400)
    current().breaks()
    await clock.pass(800)
    current().tell(snapshot())
    current().breaks()
    await clock.pass(399)
    expect(sockets).toHaveLength(3)
    await clock.pass(1)
    expect(sockets).toHaveLength(4)
  })

  it('spreads the tries of many workstations', async () => {
    const quick = new SwitchSocket(
      { open: () => (sockets.push(new FakeSocket()), current()), now: clock.now, random: () => 0, after: clock.after, cancel: clock.cancel },
      { told: () => undefined, asked: () => undefined, connecting: () => undefined, lost: () => undefined, roundTrip: () => undefined, refused: () => Promise.resolve(true) },
    )
    quick.start()
    current().tell(snapshot())
    current().breaks()
    await clock.pass(200)
    expect(sockets).toHaveLength(2)
  })

  it('is hurried when the network is back', async () => {
    open().breaks()
    socket.hurry()
    expect(sockets).toHaveLength(2)
    await clock.pass(1000)
    expect(sockets).toHaveLength(2)
  })

  it('gives a try up that nobody answers, and begins the next at once without a word to the switch', async () => {
    open().breaks()
    await clock.pass(400)
    expect(sockets).toHaveLength(2)
    loggedIn = false
    await clock.pass(1999)
    expect(sockets).toHaveLength(2)
    await clock.pass(1)
    expect(sockets).toHaveLength(3)
    expect(sockets[1]?.closed).toBe(true)
    // For somewhat longer than the grace time; then slower.
    await clock.pass(38_000)
    const quick = sockets.length
    expect(quick).toBeGreaterThan(19)
    await clock.pass(16_000)
    expect(sockets.length - quick).toBe(2)
  })

  it('spares a switch that answers and is slow: a try that is answered is not hurried, and the next waits', async () => {
    open().breaks()
    await clock.pass(400)
    const slow = current()
    slow.onopen?.()
    socket.hurry()
    await clock.pass(7999)
    expect(sockets).toHaveLength(2)
    await clock.pass(1)
    expect(slow.closed).toBe(true)
    expect(sockets).toHaveLength(2)
    await clock.pass(800)
    expect(sockets).toHaveLength(3)
  })

  it('goes on when the network swallows the question whether the login has ended', async () => {
    answer = new Promise(() => undefined)
    socket.start()
    current().breaks()
    await clock.pass(2400)
    expect(sockets).toHaveLength(2)
    // A late answer plans nothing twice, and still ends it.
    current().breaks()
    let tell: (tryOn: boolean) => void = () => undefined
    answer = new Promise(resolve => (tell = resolve))
    await clock.pass(2800)
    expect(sockets).toHaveLength(3)
    current().breaks()
    await clock.pass(2000)
    tell(false)
    await clock.pass(60_000)
    expect(sockets).toHaveLength(3)
    expect(clock.waiting).toBe(0)
  })

  it('ends when the login has ended', async () => {
    socket.start()
    loggedIn = false
    current().breaks()
    await clock.pass(60_000)
    expect(sockets).toHaveLength(1)
    expect(clock.waiting).toBe(0)
  })

  // A9
  it.each(['takenOver', 'loggedOut'] as const)('ends when the login session is over (%s)', async type => {
    open().tell({ type })
    await clock.pass(60_000)
    expect(sockets).toHaveLength(1)
    expect(current().closed).toBe(true)
    expect(log).not.toContain('lost')
  })

  it('gives a silent switch up before the snapshot', async () => {
    socket.start()
    await clock.pass(2000)
    expect(sockets[0]?.closed).toBe(true)
    expect(log).toContain('lost')
  })
})

describe('pings', () => {
  it('measure the way there and back, every two seconds', async () => {
    const there = open()
    await clock.pass(800)
    expect(there.last().ask).toEqual({ type: 'ping' })
    await clock.pass(28)
    there.tell({ type: 'done', id: there.last().id })
    expect(log).toContain('trip 28')
    await clock.pass(1999)
    expect(there.sent).toHaveLength(1)
    await clock.pass(1)
    expect(there.sent).toHaveLength(2)
  })

  it('find out that a socket is dead, whatever the browser believes', async () => {
    const there = open()
    await clock.pass(800)
    expect(there.sent).toHaveLength(1)
    await clock.pass(2999)
    expect(there.closed).toBe(false)
    await clock.pass(1)
    expect(there.closed).toBe(true)
    expect(log).toContain('lost')
    expect(sockets).toHaveLength(2)
  })

  it('find out sooner when there is reason to doubt, whether or not one is on its way', async () => {
    const there = open()
    socket.probe()
    there.tell({ type: 'done', id: there.last().id })
    await clock.pass(2000)
    expect(there.sent).toHaveLength(2)
    socket.probe()
    expect(there.sent).toHaveLength(2)
    await clock.pass(1000)
    expect(there.closed).toBe(true)
  })
})
