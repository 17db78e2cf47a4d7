import { beforeEach, describe, expect, it } from 'vitest'
import { PeerKeeper, type PeerLike } from '../src/services/peer'
import { whyNoMicrophone } from '../src/services/microphone'
import { FakeClock, settled } from './clock'

class FakeTrack {
  enabled = true
  readyState = 'live'
  onended: (() => void) | null = null
  stop() {
    this.readyState = 'ended'
  }
}

class FakeStream {
  readonly track = new FakeTrack()
  getTracks() {
    return [this.track]
  }
  getAudioTracks() {
    return [this.track]
  }
}

class FakePeer implements PeerLike {
  onstate: ((state: RTCIceConnectionState) => void) | null = null
  answered: string | null = null
  closed = false
  replaced: MediaStreamTrack[] = []
  constructor(readonly name: string) {}
  offer() {
    return Promise.resolve(`offer ${this.name}`)
  }
  answer(sdp: string) {
    if (sdp === 'nonsense') return Promise.reject(new Error('nonsense'))
    this.answered = sdp
    return Promise.resolve()
  }
  replace(track: MediaStreamTrack) {
    this.replaced.push(track)
    return Promise.resolve()
  }
  close() {
    this.closed = true
  }
}

let clock: FakeClock
let peers: FakePeer[]
let streams: FakeStream[]
let offers: string[]
let log: string[]
let microphone: () => Promise<FakeStream>
let taken: boolean
let holdOpen: Promise<boolean> | null
let keeper: PeerKeeper

beforeEach(() => {
  clock = new FakeClock()
  peers = []
  streams = []
  offers = []
  log = []
  taken = true
  holdOpen = null
  microphone = () => {
    const stream = new FakeStream()
    streams.push(stream)
    return Promise.resolve(stream)
  }
  keeper = new PeerKeeper(
    {
      connect: () => {
        const peer = new FakePeer(String(peers.length + 1))
        peers.push(peer)
        return peer
      },
      microphone: () => microphone() as unknown as Promise<MediaStream>,
      after: clock.after,
      cancel: clock.cancel,
    },
    {
      open: sdp => {
        offers.push(sdp)
        return holdOpen || Promise.resolve(taken)
      },
      up: up => log.push(up ? 'up' : 'down'),
      silent: () => log.push('silent'),
      noMicrophone: error => log.push(`no microphone: ${(error as Error).message}`),
      microphone: () => log.push('microphone'),
      unplugged: () => log.push('unplugged'),
    },
  )
})

function last(): FakePeer {
  const peer = peers[peers.length - 1]
  if (!peer) throw new Error('no peer')
  return peer
}

/** Goes online: microphone, offer, answer, connected. */
async function online(): Promise<FakePeer> {
  const up = keeper.bringUp()
  await settled()
  await keeper.answer(`answer ${last().name}`)
  last().onstate?.('connected')
  expect(await up).toBe(true)
  return last()
}

/** The microphone in use goes away. */
async function unplug() {
  const track = streams[streams.length - 1]?.track
  if (!track) throw new Error('no track')
  track.readyState = 'ended'
  track.onended?.()
  await settled()
}

// F7
describe('going online', () => {
  it('asks for the microphone, offers, takes the answer, and is up when ICE is connected', async () => {
    const up = keeper.bringUp()
    await settled()
    expect(log).toEqual(['microphone'])
    expect(offers).toEqual(['offer 1'])
    await keeper.answer('answer 1')
    expect(last().answered).toBe('answer 1')
    expect(keeper.alive).toBe(false)
    last().onstate?.('connected')
    expect(await up).toBe(true)
    expect(keeper.alive).toBe(true)
    expect(log).toEqual(['microphone', 'up'])
  })

  it('sends nothing from the microphone while there is no call', async () => {
    await online()
    expect(streams[0]?.track.enabled).toBe(false)
    keeper.setMicrophoneOpen(true)
    expect(streams[0]?.track.enabled).toBe(true)
    keeper.setMicrophoneOpen(false)
    expect(streams[0]?.track.enabled).toBe(false)
  })

  it('tells why there is no microphone, and tries no further by itself', async () => {
    microphone = () => Promise.reject(new Error('refused'))
    expect(await keeper.bringUp()).toBe(false)
    expect(log).toEqual(['no microphone: refused'])
    await clock.pass(60_000)
    expect(offers).toEqual([])
    expect(clock.waiting).toBe(0)
  })

  it('waits as long as the person thinks about the browser’s question', async () => {
    let allow: (stream: FakeStream) => void = () => undefined
    microphone = () => new Promise(resolve => (allow = resolve))
    let ended: boolean | null = null
    void keeper.bringUp().then(up => (ended = up))
    await clock.pass(120_000)
    expect(ended).toBeNull()
    allow(new FakeStream())
    await settled()
    expect(offers).toEqual(['offer 1'])
  })

  it('says so when the path does not come up within eight seconds', async () => {
    const up = keeper.bringUp()
    await clock.pass(8000)
    expect(await up).toBe(false)
  })

  it('keeps a path that is up', async () => {
    await online()
    expect(await keeper.bringUp()).toBe(true)
    expect(peers).toHaveLength(1)
  })

  it('asks once, however often it is wanted meanwhile', async () => {
    const both = [keeper.bringUp(), keeper.bringUp()]
    await settled()
    expect(streams).toHaveLength(1)
    expect(offers).toEqual(['offer 1'])
    await keeper.answer('answer 1')
    last().onstate?.('completed')
    expect(await Promise.all(both)).toEqual([true, true])
  })
})

// B3, F7
describe('a path that is lost', () => {
  it('is replaced at once after a failure, with the same microphone', async () => {
    const first = await online()
    first.onstate?.('failed')
    await clock.pass(0)
    expect(first.closed).toBe(true)
    expect(offers).toEqual(['offer 1', 'offer 2'])
    expect(streams).toHaveLength(1)
    expect(log).toEqual(['microphone', 'up', 'down'])
  })

  it('at the switch is replaced, though the browser believes in it still', async () => {
    const first = await online()
    keeper.lostAtSwitch()
    await settled()
    expect(first.closed).toBe(true)
    expect(offers).toEqual(['offer 1', 'offer 2'])
  })

  it('may heal within three seconds', async () => {
    const first = await online()
    first.onstate?.('disconnected')
    await clock.pass(2900)
    first.onstate?.('connected')
    await clock.pass(10_000)
    expect(peers).toHaveLength(1)
    expect(log).toEqual(['microphone', 'up', 'silent'])
  })

  it('is replaced when it does not heal', async () => {
    const first = await online()
    first.onstate?.('disconnected')
    await clock.pass(3000)
    expect(first.closed).toBe(true)
    expect(peers).toHaveLength(2)
  })

  it('is tried again with growing pauses while it does not come up', async () => {
    const first = await online()
    taken = false
    first.onstate?.('failed')
    await clock.pass(0)
    expect(offers).toHaveLength(2)
    await clock.pass(500)
    expect(offers).toHaveLength(3)
    await clock.pass(999)
    expect(offers).toHaveLength(3)
    await clock.pass(1)
    expect(offers).toHaveLength(4)
  })

  it('keeps the microphone open in a call', async () => {
    await online()
    keeper.setMicrophoneOpen(true)
    keeper.renew()
    await settled()
    expect(peers).toHaveLength(2)
    expect(streams[0]?.track.enabled).toBe(true)
  })

  it('stays as it is when the headset is unplugged: another microphone is put in place of the old', async () => {
    const peer = await online()
    keeper.setMicrophoneOpen(true)
    await unplug()
    expect(streams).toHaveLength(2)
    expect(streams[1]?.track.enabled).toBe(true)
    expect(peer.replaced).toEqual([streams[1]?.track])
    expect([peer.closed, keeper.alive, offers]).toEqual([false, true, ['offer 1']])
    expect(log).toEqual(['microphone', 'up', 'unplugged', 'microphone'])
  })

  it('gives the old microphone back only when the new one is in its place', async () => {
    const peer = await online()
    let placed: () => void = () => undefined
    peer.replace = () => new Promise(resolve => (placed = resolve))
    void keeper.changeMicrophone()
    await settled()
    expect(streams[0]?.track.readyState).toBe('live')
    placed()
    await settled()
    expect(streams[0]?.track.readyState).toBe('ended')
  })

  it('ends with words when the last microphone is unplugged', async () => {
    const peer = await online()
    microphone = () => Promise.reject(new Error('none'))
    await unplug()
    expect([peer.closed, keeper.alive]).toEqual([true, false])
    expect(log[log.length - 1]).toBe('no microphone: none')
  })

  it('is made anew with another microphone when it is unplugged before the path is up', async () => {
    void keeper.bringUp()
    await settled()
    await unplug()
    expect(offers).toEqual(['offer 1', 'offer 2'])
    expect(streams).toHaveLength(2)
  })
})

describe('answers', () => {
  it('belong to the newest offer, and to it once', async () => {
    await online()
    keeper.renew()
    await settled()
    keeper.renew()
    await settled()
    expect(offers).toEqual(['offer 1', 'offer 2', 'offer 3'])
    await keeper.answer('answer 3')
    expect(last().answered).toBe('answer 3')
    await keeper.answer('answer 4')
    expect(last().answered).toBe('answer 3')
  })

  it('that come before the switch has taken the newest offer are to an older one', async () => {
    await online()
    let take: (taken: boolean) => void = () => undefined
    holdOpen = new Promise(resolve => (take = resolve))
    keeper.renew()
    await settled()
    await keeper.answer('answer to an older one')
    expect(last().answered).toBeNull()
    take(true)
    await settled()
    await keeper.answer('answer 2')
    expect(last().answered).toBe('answer 2')
  })

  it('need not come: the switch says when it could not set the path up, and it is tried again', async () => {
    void keeper.bringUp()
    await settled()
    keeper.lostAtSwitch()
    await clock.pass(500)
    expect(offers).toEqual(['offer 1', 'offer 2'])
    await keeper.answer('answer 2')
    expect(last().answered).toBe('answer 2')
  })

  it('are not waited for any more when the socket is away', async () => {
    void keeper.bringUp()
    await settled()
    keeper.socketLost()
    expect(last().closed).toBe(true)
    keeper.renew()
    await settled()
    await keeper.answer('answer 2')
    expect(last().answered).toBe('answer 2')
  })

  it('that the browser cannot use lead to another try', async () => {
    void keeper.bringUp()
    await settled()
    await keeper.answer('nonsense')
    await clock.pass(500)
    expect(offers).toEqual(['offer 1', 'offer 2'])
  })
})

describe('the socket’s loss', () => {
  it('leaves a path alone that has fallen silent: it tells when the network is back', async () => {
    const first = await online()
    keeper.socketLost()
    first.onstate?.('disconnected')
    await clock.pass(3000)
    first.onstate?.('failed')
    await clock.pass(20_000)
    expect([first.closed, keeper.alive, offers]).toEqual([false, false, ['offer 1']])
    first.onstate?.('connected')
    expect(keeper.alive).toBe(true)
    expect(log).toEqual(['microphone', 'up', 'silent', 'down', 'up'])
    keeper.socketBack()
    first.onstate?.('failed')
    await clock.pass(0)
    expect(offers).toEqual(['offer 1', 'offer 2'])
  })

  it('lets go of a path that was not up yet, and of the plan for another', async () => {
    const first = await online()
    taken = false
    first.onstate?.('failed')
    await clock.pass(0)
    keeper.socketLost()
    await clock.pass(60_000)
    expect(offers).toEqual(['offer 1', 'offer 2'])
    expect(clock.waiting).toBe(0)
  })

  it('leaves a path alone that is up', async () => {
    const first = await online()
    keeper.socketLost()
    expect(first.closed).toBe(false)
    expect(keeper.alive).toBe(true)
  })
})

// F7
describe('letting go', () => {
  it('closes the path, stops the microphone, and leaves no timer', async () => {
    const first = await online()
    keeper.shut()
    expect(first.closed).toBe(true)
    expect(streams[0]?.track.readyState).toBe('ended')
    expect(clock.waiting).toBe(0)
    keeper.renew()
    await clock.pass(60_000)
    expect(peers).toHaveLength(1)
  })

  it('while the microphone is asked for stops it as soon as it comes', async () => {
    let allow: (stream: FakeStream) => void = () => undefined
    microphone = () => new Promise(resolve => (allow = resolve))
    const up = keeper.bringUp()
    await settled()
    keeper.shut()
    expect(await up).toBe(false)
    const late = new FakeStream()
    allow(late)
    await settled()
    expect(late.track.readyState).toBe('ended')
    expect(peers).toHaveLength(0)
  })
})

// F7
describe('the reason for a missing microphone', () => {
  it('is told apart for the person', () => {
    const named = (name: string) => Object.assign(new Error(), { name })
    expect(whyNoMicrophone(named('NotAllowedError'))).toBe('blocked')
    expect(whyNoMicrophone(named('SecurityError'))).toBe('insecure')
    expect(whyNoMicrophone(named('NotFoundError'))).toBe('missing')
    expect(whyNoMicrophone(named('NotReadableError'))).toBe('missing')
  })
})
