const START_WITHIN = 300
/** Seconds of the tone to try a device with. */
const TONE = 1.5

/** The loudness of one stream. */
export interface Meter {
  /** Now, 0 to 1. */
  level(): number
  close(): void
}

/** Whether pages of this browser may choose what they play on. */
export function canRoute(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype
}

/** Plays the element on that device; false: it cannot, and plays where it did. */
async function route(element: HTMLMediaElement, device: string): Promise<boolean> {
  if (!canRoute()) return false
  try {
    await element.setSinkId(device)
    return true
  } catch (_) {
    return false
  }
}

/** Everything that needs the browser's audio: the customer's voice, the microphone's level, and the workstation's own quiet tones. */
export class Sound {
  private context: AudioContext | null = null
  private readonly voice: HTMLAudioElement
  private meter: Meter | null = null
  /** What rings, when that is not the browser's own device. */
  private ringer = ''

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
    if (this.meter) this.meter.close()
    this.meter = stream ? this.measure(stream) : null
  }

  /** The microphone's loudness now, 0 (silence) to 1 (full scale), on a scale that speech fills. */
  level(): number {
    return this.meter ? this.meter.level() : 0
  }

  /** A meter of another stream, to be closed by who asked for it. */
  measure(stream: MediaStream): Meter {
    const context = this.audio()
    const source = context.createMediaStreamSource(stream)
    const analyser = context.createAnalyser()
    analyser.fftSize = 512
    const samples = new Float32Array(analyser.fftSize)
    source.connect(analyser)
    return {
      level: () => {
        analyser.getFloatTimeDomainData(samples)
        let sum = 0
        samples.forEach(sample => (sum += sample * sample))
        const decibels = 10 * Math.log10(sum / samples.length + 1e-9)
        return Math.max(0, Math.min(1, (decibels + 55) / 45))
      },
      close: () => source.disconnect(),
    }
  }

  /** Which devices speak and ring from now on; empty: the browser's own. */
  setOutputs(speaker: string, ringer: string) {
    this.ringer = ringer
    void route(this.voice, speaker)
  }

  /** A second and a half of a plain tone on that device; resolves when it is over. Rejects when the device cannot be used. */
  async tone(device: string): Promise<void> {
    const out = await this.output(device)
    const context = this.audio()
    const at = context.currentTime
    const tone = context.createOscillator()
    const volume = context.createGain()
    tone.frequency.value = 440
    volume.gain.setValueAtTime(0, at)
    volume.gain.linearRampToValueAtTime(0.3, at + 0.05)
    volume.gain.setValueAtTime(0.3, at + TONE - 0.05)
    volume.gain.linearRampToValueAtTime(0, at + TONE)
    tone.connect(volume)
    volume.connect(out.to)
    tone.start(at)
    tone.stop(at + TONE)
    await new Promise(resolve => (tone.onended = resolve))
    out.close()
  }

  /** The ring: two soft notes every two seconds, from silence to full in 1.5 s. Returns the way to stop. */
  ring(): () => void {
    const context = this.audio()
    const volume = context.createGain()
    volume.gain.setValueAtTime(0.0001, context.currentTime)
    volume.gain.exponentialRampToValueAtTime(0.32, context.currentTime + 1.5)
    const out = this.ringer === '' ? null : this.output(this.ringer)
    if (out) {
      // A device that has gone: better there than nowhere.
      out.then(
        ({ to }) => volume.connect(to),
        () => volume.connect(context.destination),
      )
    } else volume.connect(context.destination)
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
      setTimeout(
        () => {
          volume.disconnect()
          if (out) out.then(({ close }) => close(), () => undefined)
        },
        (end - context.currentTime) * 1000 + 100,
      )
    }
  }

  /** A way to a device of its own: old browsers route elements, not contexts. */
  private async output(device: string): Promise<{ to: AudioNode; close(): void }> {
    const to = this.audio().createMediaStreamDestination()
    const element = document.createElement('audio')
    element.srcObject = to.stream
    if (device !== '' && !(await route(element, device))) throw new Error('the device is not there')
    await element.play()
    return {
      to,
      close: () => {
        element.pause()
        element.srcObject = null
      },
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
