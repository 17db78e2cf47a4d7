import type { PeerLike, PeerSurroundings } from './peer'

/** Candidates that are not there by then are done without: the switch learns the address from the first check. */
const GATHERING_LIMIT = 2000

/** The browser's WebRTC and microphone. `onvoice` hears the stream that the switch sends. */
export function browserPeers(onvoice: (stream: MediaStream | null) => void): PeerSurroundings {
  return {
    connect: (track, stream) => new BrowserPeer(track, stream, onvoice),
    microphone: () => {
      if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
        return Promise.reject(new DOMException('The page is not served securely.', 'SecurityError'))
      }
      return navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } })
    },
    after: (milliseconds, act) => setTimeout(act, milliseconds),
    cancel: timer => clearTimeout(timer as number | undefined),
  }
}

class BrowserPeer implements PeerLike {
  onstate: ((state: RTCIceConnectionState) => void) | null = null
  private readonly connection: RTCPeerConnection

  constructor(
    track: MediaStreamTrack,
    stream: MediaStream,
    private readonly onvoice: (stream: MediaStream | null) => void,
  ) {
    // Chrome before 72 speaks plan B unless asked.
    this.connection = new RTCPeerConnection({ sdpSemantics: 'unified-plan', bundlePolicy: 'max-bundle' } as RTCConfiguration)
    this.connection.addTrack(track, stream)
    this.connection.ontrack = event => onvoice(event.streams[0] || new MediaStream([event.track]))
    this.connection.oniceconnectionstatechange = () => {
      if (this.onstate) this.onstate(this.connection.iceConnectionState)
    }
  }

  async offer(): Promise<string> {
    await this.connection.setLocalDescription(await this.connection.createOffer())
    await this.gathered()
    const description = this.connection.localDescription
    if (!description) throw new Error('the connection was closed while it gathered candidates')
    return description.sdp
  }

  answer(sdp: string): Promise<void> {
    return this.connection.setRemoteDescription({ type: 'answer', sdp })
  }

  close() {
    this.connection.ontrack = null
    this.connection.oniceconnectionstatechange = null
    this.connection.close()
    this.onvoice(null)
  }

  private gathered(): Promise<void> {
    if (this.connection.iceGatheringState === 'complete') return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(resolve, GATHERING_LIMIT)
      this.connection.onicegatheringstatechange = () => {
        if (this.connection.iceGatheringState !== 'complete') return
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
