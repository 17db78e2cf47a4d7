/** A clock and timers that stand still until told to move. */
export class FakeClock {
  time = 0
  private timers: { at: number; act: () => void; id: number }[] = []
  private ids = 0

  readonly now = () => this.time

  readonly after = (milliseconds: number, act: () => void): unknown => {
    const id = ++this.ids
    this.timers.push({ at: this.time + milliseconds, act, id })
    return id
  }

  readonly cancel = (id: unknown) => {
    this.timers = this.timers.filter(timer => timer.id !== id)
  }

  /** Moves the time on and runs what falls due, in order; promises settle in between. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds
    for (;;) {
      await settled()
      const due = this.timers.filter(timer => timer.at <= until).sort((a, b) => a.at - b.at || a.id - b.id)[0]
      if (!due) break
      this.time = Math.max(this.time, due.at)
      this.timers = this.timers.filter(timer => timer !== due)
      due.act()
    }
    this.time = until
    await settled()
  }

  get waiting(): number {
    return this.timers.length
  }
}

/** Lets all promises that can settle do so. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
