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
      refused: () => Promise.resolve(loggedIn),
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
    await clock.pass(8000)
    expect(current().closed).toBe(true)
    expect(log).toContain('lost')
  })
})

describe('pings', () => {
  it('measure the way there and back, every five seconds', async () => {
    const there = open()
    await clock.pass(800)
    expect(there.last().ask).toEqual({ type: 'ping' })
    await clock.pass(28)
    there.tell({ type: 'done', id: there.last().id })
    expect(log).toContain('trip 28')
    await clock.pass(4999)
    expect(there.sent).toHaveLength(1)
    await clock.pass(1)
    expect(there.sent).toHaveLength(2)
  })

  it('find out that a socket is dead, whatever the browser believes', async () => {
    const there = open()
    await clock.pass(800)
    expect(there.sent).toHaveLength(1)
    await clock.pass(5999)
    expect(there.closed).toBe(false)
    await clock.pass(1)
    expect(there.closed).toBe(true)
    expect(log).toContain('lost')
    await clock.pass(400)
    expect(sockets).toHaveLength(2)
  })
})
