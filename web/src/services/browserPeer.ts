import type { PeerLike, PeerSurroundings } from './peer'

/** Candidates that are not there by then are done without: the switch learns the address from the first check. */
const GATHERING_LIMIT = 2000

/** The browser's WebRTC and microphone. `onvoice` hears the stream that the switch sends; `microphone` is the device to ask for. */
export function browserPeers(onvoice: (stream: MediaStream | null) => void, microphone: () => string | null): PeerSurroundings {
  return {
    connect: (track, stream) => new BrowserPeer(track, stream, onvoice),
    microphone: () => takeMicrophone(microphone()),
    after: (milliseconds, act) => setTimeout(act, milliseconds),
    cancel: timer => clearTimeout(timer as number | undefined),
  }
}

/** That microphone, or another when it is not there; null: the browser's choice. */
export function takeMicrophone(device: string | null): Promise<MediaStream> {
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
    return Promise.reject(new DOMException('The page is not served securely.', 'SecurityError'))
  }
  const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
  if (device !== null) audio.deviceId = { ideal: device }
  return navigator.mediaDevices.getUserMedia({ audio })
}

class BrowserPeer implements PeerLike {
  onstate: ((state: RTCIceConnectionState) => void) | null = null
  private readonly connection: RTCPeerConnection
  private readonly sender: RTCRtpSender

  constructor(
    track: MediaStreamTrack,
    stream: MediaStream,
    private readonly onvoice: (stream: MediaStream | null) => void,
  ) {
    // Chrome before 72 speaks plan B unless asked.
    this.connection = new RTCPeerConnection({ sdpSemantics: 'unified-plan', bundlePolicy: 'max-bundle' } as RTCConfiguration)
    this.sender = this.connection.addTrack(track, stream)
    this.connection.ontrack = event => onvoice(event.streams[0] || new MediaStream([event.track]))
    this.connection.oniceconnectionstatechange = () => {
      if (this.onstate) this.onstate(this.connection.iceConnectionState)
    }
  }

  async offer(): Promise<string> {
    await this.connection.setLocalDescription(await this.connection.createOffer())
    await gathered(this.connection)
    const description = this.connection.localDescription
    if (!description) throw new Error('the connection was closed while it gathered candidates')
    return description.sdp
  }

  answer(sdp: string): Promise<void> {
    return this.connection.setRemoteDescription({ type: 'answer', sdp })
  }

  replace(track: MediaStreamTrack): Promise<void> {
    return this.sender.replaceTrack(track)
  }

  close() {
    this.connection.ontrack = null
    this.connection.oniceconnectionstatechange = null
    this.connection.close()
    this.onvoice(null)
  }
}

/** Waits until all candidates are in the local description. */
export function gathered(connection: RTCPeerConnection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise(resolve => {
    const timer = setTimeout(resolve, GATHERING_LIMIT)
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState !== 'complete') return
      clearTimeout(timer)
      resolve()
    }
  })
}
