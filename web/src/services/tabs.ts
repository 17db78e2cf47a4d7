/** What tabs of one browser tell each other about the sound (F6). The switch decides who owns it; this answers faster and across a reconnect. */
type Word = { say: 'who' } | { say: 'mine' } | { say: 'taken' }

const ANSWER_WITHIN = 150

export class Tabs {
  private readonly channel: BroadcastChannel | null
  private owning = false
  private answered: (() => void) | null = null

  /** `ontaken` hears that another tab has taken the sound. */
  constructor(ontaken: () => void) {
    this.channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('cordboard.sound')
    if (!this.channel) return
    this.channel.onmessage = (event: MessageEvent) => {
      const word = event.data as Word
      if (word.say === 'who' && this.owning) this.say({ say: 'mine' })
      if (word.say === 'mine' && this.answered) this.answered()
      if (word.say === 'taken') {
        const was = this.owning
        this.owning = false
        if (was) ontaken()
      }
    }
  }

  /** This tab has the sound from now on. */
  take() {
    this.owning = true
    this.say({ say: 'taken' })
  }

  give() {
    this.owning = false
  }

  /** Whether some other tab has the sound. */
  elsewhere(): Promise<boolean> {
    if (!this.channel) return Promise.resolve(false)
    return new Promise(resolve => {
      const timer = setTimeout(() => done(false), ANSWER_WITHIN)
      const done = (is: boolean) => {
        clearTimeout(timer)
        this.answered = null
        resolve(is)
      }
      this.answered = () => done(true)
      this.say({ say: 'who' })
    })
  }

  private say(word: Word) {
    if (this.channel) this.channel.postMessage(word)
  }
}
