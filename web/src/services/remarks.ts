import { draftsOf, saidOf, type Noted } from '../state/notes'
import type { Store } from '../state/store'
import type { State } from '../state/state'
import type { Outcome } from './socket'

/** Of typing; a choice is made at once. */
const PAUSE = { remark: 600, disposition: 0 }
const AFTER_REFUSAL = 10_000

/** Sends what the agent notes on a call: a remark after a pause, and again until the switch has the last of it (D8). */
export class Remarks {
  private timers = new Map<string, unknown>()

  constructor(
    private readonly store: Store,
    private readonly send: (call: string, text: string) => Promise<Outcome>,
    private readonly after: (milliseconds: number, act: () => void) => unknown,
    private readonly cancel: (timer: unknown) => void,
    private readonly of: Noted = 'remark',
  ) {
    store.subscribe((state, before) => this.changed(state, before))
  }

  /** Sends now what stands in the field: the session is about to go, or the field lost the focus. */
  flush(call?: string): Promise<unknown> {
    const calls = call === undefined ? Object.keys(draftsOf(this.store.get(), this.of)) : [call]
    return Promise.all(calls.map(each => this.now(each)))
  }

  private changed(state: State, before: State) {
    const [drafts, olds] = [draftsOf(state, this.of), draftsOf(before, this.of)]
    if (drafts === olds && state.link.is === before.link.is) return
    Object.keys(drafts).forEach(call => {
      const draft = drafts[call]
      const old = olds[call]
      if (!draft) return
      const typed = !old || old.text !== draft.text
      const free = draft.sending === null
      const settled = old && old.sending !== null
      const back = state.link.is === 'open' && before.link.is !== 'open'
      if (typed || (free && (settled || back))) this.plan(call, back ? 0 : PAUSE[this.of])
    })
  }

  private plan(call: string, wait: number) {
    this.cancel(this.timers.get(call))
    this.timers.set(
      call,
      this.after(wait, () => void this.now(call)),
    )
  }

  private now(call: string): Promise<unknown> {
    this.cancel(this.timers.get(call))
    this.timers.delete(call)
    const state = this.store.get()
    const draft = draftsOf(state, this.of)[call]
    const session = state.desk && state.desk.sessions.find(s => s.call === call)
    // While one text is on its way the next waits for its answer, so that the last one stands.
    if (!draft || draft.sending !== null || !session || saidOf(session, this.of) === draft.text || state.link.is !== 'open') return Promise.resolve()
    return this.send(call, draft.text).then(outcome => {
      // The switch will not have it now; ask again, but do not nag.
      if (outcome.is === 'refused') this.plan(call, AFTER_REFUSAL)
    })
  }
}
