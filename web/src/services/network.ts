import { pathBetween, type Network, type PathCount } from '../state/network'
import { gathered } from './browserPeer'
import { probe } from './http'

/** What measuring needs of the workstation. */
export interface Line {
  ping(): Promise<number | null>
  /** The switch's answer to a test path's offer. */
  echo(sdp: string): Promise<string | null>
  closeEcho(): void
}

const PINGS = 5
const CONNECT_WITHIN = 8000
/** Of voice that comes back: some 200 packets each way. */
const LISTEN_FOR = 4000
const LOOK_EVERY = 200
/** The quietest steps of G.711 are no sound. */
const SILENCE = 0.02
/** A download shorter than this says little of the bandwidth. */
const LONG_ENOUGH = 400
const SIZES = [16 * 1024, 128 * 1024, 1024 * 1024]

/** Measures the way to the switch, step by step: one disturbs the other. */
export async function measureNetwork(line: Line, report: (part: Partial<Network>) => void): Promise<Network> {
  const network: Network = { roundTrip: null, path: null, down: null, up: null, address: null }
  const add = (part: Partial<Network>) => report(Object.assign(network, part))
  add({ roundTrip: await roundTrip(line) })
  if (network.roundTrip === null) return network
  await voice(line, add)
  add({ down: await throughput(size => probe.download(size), network.roundTrip) })
  add({ up: await throughput(size => probe.upload(size), network.roundTrip) })
  return network
}

/** The middle of a few. */
async function roundTrip(line: Line): Promise<number | null> {
  const trips: number[] = []
  for (let n = 0; n < PINGS; n++) {
    const trip = await line.ping()
    if (trip !== null) trips.push(trip)
  }
  const middle = trips.sort((a, b) => a - b)[Math.floor(trips.length / 2)]
  return middle === undefined ? null : middle
}

/** Sends a tone over a real voice path and counts what comes back. */
async function voice(line: Line, add: (part: Partial<Network>) => void): Promise<void> {
  if (typeof RTCPeerConnection === 'undefined') return
  const connection = new RTCPeerConnection({ sdpSemantics: 'unified-plan', bundlePolicy: 'max-bundle' } as RTCConfiguration)
  const context = new AudioContext()
  const mute = document.createElement('audio')
  mute.muted = true
  try {
    const tone = context.createOscillator()
    const to = context.createMediaStreamDestination()
    tone.connect(to)
    tone.start()
    const track = to.stream.getAudioTracks()[0]
    if (!track) return
    connection.addTrack(track, to.stream)
    const ear = context.createAnalyser()
    connection.ontrack = event => {
      const stream = event.streams[0] || new MediaStream([event.track])
      // Chrome gives a stream's sound away only while an element plays it too.
      mute.srcObject = stream
      mute.play().catch(() => undefined)
      context.createMediaStreamSource(stream).connect(ear)
    }
    await connection.setLocalDescription(await connection.createOffer())
    await gathered(connection)
    const answer = await line.echo(connection.localDescription ? connection.localDescription.sdp : '')
    if (answer === null) return
    add({ address: addressIn(answer) })
    await connection.setRemoteDescription({ type: 'answer', sdp: answer })
    if (!(await connected(connection))) return
    // The first packets wait for the path to settle.
    await pause(500)
    const from = await count(connection)
    const heard = await listen(ear, LISTEN_FOR)
    add({ path: pathBetween(from, await count(connection), context.state === 'running' ? heard : null) })
  } catch (_) {
    // No path: that is what the page tells.
  } finally {
    connection.close()
    mute.srcObject = null
    line.closeEcho()
    void context.close()
  }
}

/** Whether there is more than silence at some moment of that time. */
async function listen(ear: AnalyserNode, time: number): Promise<boolean> {
  const samples = new Float32Array(ear.fftSize)
  let heard = false
  for (let looked = 0; looked < time; looked += LOOK_EVERY) {
    await pause(LOOK_EVERY)
    ear.getFloatTimeDomainData(samples)
    heard = heard || samples.some(sample => Math.abs(sample) > SILENCE)
  }
  return heard
}

function connected(connection: RTCPeerConnection): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), CONNECT_WITHIN)
    const look = () => {
      const state = connection.iceConnectionState
      if (state !== 'connected' && state !== 'completed' && state !== 'failed') return
      clearTimeout(timer)
      resolve(state !== 'failed')
    }
    connection.oniceconnectionstatechange = look
    look()
  })
}

async function count(connection: RTCPeerConnection): Promise<PathCount> {
  const counted: PathCount = { received: 0, lost: 0, missed: null, jitter: null, roundTrip: null }
  const stats = await connection.getStats()
  stats.forEach((each: { [name: string]: unknown }) => {
    const number = (name: string) => (typeof each[name] === 'number' ? (each[name] as number) : 0)
    if (each.type === 'inbound-rtp') {
      counted.received += number('packetsReceived')
      counted.lost += number('packetsLost')
      counted.jitter = number('jitter') * 1000
    }
    if (each.type === 'remote-inbound-rtp') counted.missed = number('packetsLost')
    if (each.type === 'candidate-pair' && each.currentRoundTripTime !== undefined && (each.nominated === true || each.selected === true)) {
      counted.roundTrip = number('currentRoundTripTime') * 1000
    }
  })
  return counted
}

/** kbit/s of the first transfer that takes long enough, or of the largest; the round trip that each of them waits for is no lack of width. */
async function throughput(transfer: (bytes: number) => Promise<void>, roundTrip: number): Promise<number | null> {
  let measured: number | null = null
  try {
    for (const size of SIZES) {
      const began = performance.now()
      await transfer(size)
      const took = performance.now() - began
      measured = (size * 8) / Math.max(1, took - roundTrip)
      if (took >= LONG_ENOUGH) break
    }
  } catch (_) {
    return null
  }
  return measured
}

/** Where the switch takes voice, as its answer says. */
function addressIn(sdp: string): string | null {
  const found = /a=candidate:\S+ 1 udp \d+ (\S+) (\d+) /i.exec(sdp)
  return found ? `${found[1] || ''}:${found[2] || ''}` : null
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}
