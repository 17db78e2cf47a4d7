/** What a peer needs of the browser; tests give fakes. */
export interface PeerSurroundings {
  /** A new connection that sends this track and hears the switch. */
  connect(track: MediaStreamTrack, stream: MediaStream): PeerLike
  microphone(): Promise<MediaStream>
  after(milliseconds: number, act: () => void): unknown
  cancel(timer: unknown): void
}

/** One WebRTC connection, reduced to what the life cycle looks at. */
export interface PeerLike {
  /** The offer with all candidates in it (no trickle). */
  offer(): Promise<string>
  answer(sdp: string): Promise<void>
  /** Another track in place of the one that is sent; nothing is negotiated. */
  replace(track: MediaStreamTrack): Promise<void>
  /** Set by the owner; `iceConnectionState` and not `connectionState`, which Chrome 70 lacks. */
  onstate: ((state: RTCIceConnectionState) => void) | null
  close(): void
}

export interface PeerListeners {
  /** Sends the offer; answers whether the switch took it. */
  open(sdp: string): Promise<boolean>
  /** The path carries voice, or does not any more. */
  up(up: boolean): void
  /** The path has fallen silent: perhaps the whole network has. */
  silent(): void
  /** There is no microphone (any more). */
  noMicrophone(error: unknown): void
  microphone(stream: MediaStream): void
  /** The microphone ended by itself: it was unplugged. Another is taken next. */
  unplugged(): void
}

/** Within this long an answer and a connected path must be there. */
const SET_UP_TIMEOUT = 8000
/** `disconnected` often heals by itself. Longer than a doubted socket takes to show that it is dead. */
const HEAL_WITHIN = 3000
const FIRST_WAIT = 500
const LONGEST_WAIT = 8000

/**
 * The workstation's one persistent peer (F7): set up when the agent goes online, so that answering needs no ICE; replaced when it is lost.
 * One connection is being set up at a time. The switch answers an offer only after it has said that it took it, and never one that a newer
 * offer has replaced: so what comes after that word is the answer to the newest.
 */
export class PeerKeeper {
  private wanted = false
  private peer: PeerLike | null = null
  private connected = false
  private stream: MediaStream | null = null
  private open = false
  private changes = 0
  private tries = 0
  private epoch = 0
  /** There is a socket to make a new path over. */
  private linked = true
  /** From asking for the microphone until the path is up or given up. */
  private settingUp = false
  private timer: unknown = null
  private healTimer: unknown = null
  /** The switch has taken the newest offer: the next answer is the one to it. */
  private expecting = false
  private waiting: ((up: boolean) => void)[] = []

  constructor(
    private readonly around: PeerSurroundings,
    private readonly listeners: PeerListeners,
  ) {}

  /** Takes the microphone and brings a path up; false when either fails. A path that is up is kept. */
  async bringUp(): Promise<boolean> {
    this.wanted = true
    if (this.peer && this.connected) return true
    const up = new Promise<boolean>(resolve => this.waiting.push(resolve))
    if (!this.settingUp) this.renew()
    return up
  }

  /** A new connection in place of the present one: the network or the switch's end has changed. */
  renew() {
    if (!this.wanted) return
    this.tries = 0
    void this.setUp()
  }

  /** Lets path and microphone go. */
  shut() {
    this.wanted = false
    this.discard()
    this.finish(false)
    if (this.stream) this.stream.getTracks().forEach(track => track.stop())
    this.stream = null
  }

  /**
   * The socket is away: answers to offers sent over it will not come. A path that was up stays, even when it falls silent: the browser goes on looking
   * for the switch, and so notices when the network is back.
   */
  socketLost() {
    this.linked = false
    if (!this.peer || this.settingUp) this.discard()
  }

  socketBack() {
    this.linked = true
  }

  /** The switch has lost the path, or could not set it up. */
  lostAtSwitch() {
    if (this.connected) this.renew()
    else if (this.expecting) this.retry()
  }

  get alive(): boolean {
    return this.peer !== null && this.connected
  }

  /** Lets the customer hear the microphone, or not. */
  setMicrophoneOpen(open: boolean) {
    this.open = open
    this.applyMicrophone()
  }

  /** The switch's answer; one to an offer that was replaced meanwhile is left alone. */
  async answer(sdp: string): Promise<void> {
    if (!this.expecting || !this.peer) return
    this.expecting = false
    const epoch = this.epoch
    try {
      await this.peer.answer(sdp)
    } catch (_) {
      if (epoch === this.epoch) this.retry()
    }
  }

  /** Takes a microphone anew, as the surroundings choose it, and puts it in place of the present one; path and call stay as they are. */
  async changeMicrophone(): Promise<void> {
    const peer = this.peer
    // While a path is being set up its microphone is not taken away from it; the next one finds the right one.
    if (!this.wanted || !peer || !this.connected) return
    const change = ++this.changes
    const current = () => this.wanted && this.peer === peer && change === this.changes
    let stream: MediaStream
    try {
      stream = await this.around.microphone()
    } catch (error) {
      if (current()) this.withoutMicrophone(error)
      return
    }
    const track = stream.getAudioTracks()[0]
    if (!current() || !track) return stream.getTracks().forEach(each => each.stop())
    const before = this.stream
    this.adopt(stream)
    try {
      await peer.replace(track)
    } catch (_) {
      if (current()) this.renew()
    }
    if (before) before.getTracks().forEach(each => each.stop())
  }

  private withoutMicrophone(error: unknown) {
    this.discard()
    this.wanted = false
    this.listeners.noMicrophone(error)
    this.finish(false)
  }

  private async setUp(): Promise<void> {
    this.discard()
    this.settingUp = true
    const epoch = ++this.epoch
    const current = () => this.wanted && epoch === this.epoch
    this.timer = this.around.after(SET_UP_TIMEOUT, () => {
      if (current()) this.retry()
    })
    let stream: MediaStream
    try {
      stream = await this.takeMicrophone(current)
    } catch (error) {
      if (current()) this.withoutMicrophone(error)
      return
    }
    if (!current()) return
    const track = stream.getAudioTracks()[0]
    if (!track) return this.retry()
    const peer = this.around.connect(track, stream)
    this.peer = peer
    peer.onstate = state => {
      if (this.peer === peer) this.changed(state)
    }
    try {
      const sdp = await peer.offer()
      if (!current() || this.peer !== peer) return
      const taken = await this.listeners.open(sdp)
      if (!current()) return
      if (taken) this.expecting = true
      else this.retry()
    } catch (_) {
      if (current()) this.retry()
    }
  }

  private async takeMicrophone(current: () => boolean): Promise<MediaStream> {
    const held = this.stream
    if (held && held.getAudioTracks().some(track => track.readyState === 'live')) return held
    // The person may think about the browser's question for as long as it takes.
    this.around.cancel(this.timer)
    const stream = await this.around.microphone()
    if (!current()) {
      stream.getTracks().forEach(track => track.stop())
      return stream
    }
    this.adopt(stream)
    this.timer = this.around.after(SET_UP_TIMEOUT, () => {
      if (current()) this.retry()
    })
    return stream
  }

  private adopt(stream: MediaStream) {
    this.stream = stream
    this.applyMicrophone()
    stream.getAudioTracks().forEach(track => {
      track.onended = () => {
        // The headset was unplugged: another microphone, or none.
        if (this.stream !== stream || !this.wanted) return
        this.listeners.unplugged()
        void (this.connected ? this.changeMicrophone() : this.setUp())
      }
    })
    this.listeners.microphone(stream)
  }

  private applyMicrophone() {
    if (this.stream) this.stream.getAudioTracks().forEach(track => (track.enabled = this.open))
  }

  private changed(state: RTCIceConnectionState) {
    if (state === 'connected' || state === 'completed') {
      this.around.cancel(this.healTimer)
      this.healTimer = null
      this.around.cancel(this.timer)
      this.timer = null
      this.tries = 0
      this.settingUp = false
      if (this.connected) return
      this.connected = true
      this.listeners.up(true)
      this.finish(true)
    } else if (state === 'failed' || state === 'closed') {
      this.broken()
    } else if (state === 'disconnected' && this.healTimer === null) {
      this.healTimer = this.around.after(HEAL_WITHIN, () => this.broken())
      this.listeners.silent()
    }
  }

  /** The path does not heal by itself. Without a socket there is no other: it may still. */
  private broken() {
    this.around.cancel(this.healTimer)
    this.healTimer = null
    if (this.linked || this.settingUp) return this.retry()
    this.down()
  }

  private down() {
    if (!this.connected) return
    this.connected = false
    this.listeners.up(false)
  }

  /** Tries again after a growing pause; at once after the first loss. */
  private retry() {
    const wasUp = this.connected
    this.discard()
    if (!this.wanted) return
    if (!wasUp) this.finish(false)
    const wait = wasUp ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * Math.pow(2, this.tries++))
    this.timer = this.around.after(wait, () => void this.setUp())
  }

  private discard() {
    this.epoch++
    this.settingUp = false
    this.expecting = false
    this.around.cancel(this.timer)
    this.around.cancel(this.healTimer)
    this.timer = null
    this.healTimer = null
    const peer = this.peer
    this.peer = null
    if (peer) {
      peer.onstate = null
      peer.close()
    }
    this.down()
  }

  private finish(up: boolean) {
    const waiting = this.waiting
    this.waiting = []
    waiting.forEach(resolve => resolve(up))
  }
}
