const START_WITHIN = 300

/** Everything that needs the browser's audio: the customer's voice, the microphone's level, and the workstation's own quiet tones. */
export class Sound {
  private context: AudioContext | null = null
  private readonly voice: HTMLAudioElement
  private analyser: AnalyserNode | null = null
  private source: MediaStreamAudioSourceNode | null = null
  private samples = new Float32Array(0)

  /** `onlocked` hears when the browser refuses to play before a click, and when it plays. */
  constructor(private readonly onlocked: (locked: boolean) => void) {
    this.voice = document.createElement('audio')
    this.voice.autoplay = true
    this.voice.hidden = true
    document.body.appendChild(this.voice)
  }

  /** Call it in a click: browsers start audio only then. */
  async unlock(): Promise<void> {
    const context = this.audio()
    try {
      if (context.state === 'suspended') await context.resume()
      if (this.voice.srcObject) await this.voice.play()
    } catch (_) {
      // Told below: the context's own state decides.
    }
    this.onlocked(context.state === 'suspended')
  }

  /** Plays the customer. */
  play(stream: MediaStream | null) {
    this.voice.srcObject = stream
    if (!stream) return
    const playing = this.voice.play()
    if (playing) {
      playing.then(
        () => void this.audio(),
        (error: unknown) => {
          if (error instanceof DOMException && error.name === 'NotAllowedError') this.onlocked(true)
        },
      )
    }
  }

  /** Measures this microphone from now on. */
  listen(stream: MediaStream | null) {
    if (this.source) this.source.disconnect()
    this.source = null
    this.analyser = null
    if (!stream) return
    const context = this.audio()
    this.source = context.createMediaStreamSource(stream)
    this.analyser = context.createAnalyser()
    this.analyser.fftSize = 512
    this.samples = new Float32Array(this.analyser.fftSize)
    this.source.connect(this.analyser)
  }

  /** The microphone's loudness now, 0 (silence) to 1 (full scale), on a scale that speech fills. */
  level(): number {
    if (!this.analyser) return 0
    this.analyser.getFloatTimeDomainData(this.samples)
    let sum = 0
    this.samples.forEach(sample => (sum += sample * sample))
    const decibels = 10 * Math.log10(sum / this.samples.length + 1e-9)
    return Math.max(0, Math.min(1, (decibels + 55) / 45))
  }

  /** The ring: two soft notes every two seconds, from silence to full in 1.5 s. Returns the way to stop. */
  ring(): () => void {
    const context = this.audio()
    const volume = context.createGain()
    volume.gain.setValueAtTime(0.0001, context.currentTime)
    volume.gain.exponentialRampToValueAtTime(0.32, context.currentTime + 1.5)
    volume.connect(context.destination)
    const pair = () => {
      // Notes of a suspended clock would all sound at once when it runs again.
      if (context.state === 'suspended') return
      this.note(587.33, 0, 0.55, volume)
      this.note(783.99, 0.24, 0.8, volume)
    }
    pair()
    const timer = setInterval(pair, 2000)
    return () => {
      clearInterval(timer)
      const end = context.currentTime + 0.08
      volume.gain.cancelScheduledValues(context.currentTime)
      volume.gain.setTargetAtTime(0, context.currentTime, 0.02)
      setTimeout(() => volume.disconnect(), (end - context.currentTime) * 1000 + 100)
    }
  }

  /** Connection lost: a falling pair; back: a rising one. */
  pair(rising: boolean) {
    const context = this.audio()
    const volume = context.createGain()
    volume.gain.value = 0.14
    volume.connect(context.destination)
    this.note(rising ? 440 : 587.33, 0, 0.3, volume)
    this.note(rising ? 587.33 : 440, 0.16, 0.4, volume)
    setTimeout(() => volume.disconnect(), 1200)
  }

  /** Held for long: one quiet tick. */
  tick() {
    const context = this.audio()
    const volume = context.createGain()
    volume.gain.value = 0.08
    volume.connect(context.destination)
    this.note(880, 0, 0.08, volume)
    setTimeout(() => volume.disconnect(), 400)
  }

  private note(hertz: number, after: number, length: number, to: AudioNode) {
    const context = this.audio()
    const at = context.currentTime + after
    const tone = context.createOscillator()
    const shape = context.createGain()
    tone.type = 'sine'
    tone.frequency.value = hertz
    shape.gain.setValueAtTime(0, at)
    shape.gain.linearRampToValueAtTime(1, at + 0.02)
    shape.gain.exponentialRampToValueAtTime(0.001, at + length)
    tone.connect(shape)
    shape.connect(to)
    tone.start(at)
    tone.stop(at + length + 0.05)
  }

  private audio(): AudioContext {
    if (!this.context) {
      const context = new AudioContext()
      const tell = () => this.onlocked(context.state === 'suspended')
      context.onstatechange = tell
      // Where the browser allows sound, the clock runs a moment after it was made.
      setTimeout(tell, START_WITHIN)
      this.context = context
    }
    return this.context
  }
}
