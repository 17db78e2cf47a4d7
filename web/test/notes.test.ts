import { beforeEach, describe, expect, it } from 'vitest'
import type { Ask, ToWorkstation } from '../src/generated/wire'
import { Remarks } from '../src/services/remarks'
import type { Outcome } from '../src/services/socket'
import type { Event } from '../src/state/events'
import { dispositionOf } from '../src/state/notes'
import { reduce } from '../src/state/reduce'
import { initialState, type State } from '../src/state/state'
import { createStore, type Store } from '../src/state/store'
import { FakeClock } from './clock'
import { session, snapshot } from './fixtures'

const told = (tell: ToWorkstation): Event => ({ type: 'told', tell, at: 0 })
const after = (...events: Event[]): State => events.reduce(reduce, initialState)
const shown = (state: State) => (state.desk && state.desk.sessions[0] ? dispositionOf(state, state.desk.sessions[0]) : null)

// D8
describe('a disposition', () => {
  const start = after(told(snapshot({ sessions: [session('c1', { disposition: 'Complaint', remark: 'said' })] })), { type: 'disposed', call: 'c1', name: 'Order placed' })
  const ask: Ask = { type: 'disposition', call: 'c1', name: 'Order placed' }
  const sent = reduce(start, { type: 'asked', id: 1, ask })

  it('stands as chosen until the switch has it, and leaves the remark alone', () => {
    expect(shown(start)).toBe('Order placed')
    const state = reduce(sent, told({ type: 'done', id: 1 }))
    expect([shown(state), state.choices, state.drafts, state.desk?.sessions[0]?.remark]).toEqual(['Order placed', {}, {}, 'said'])
    expect(state.desk?.sessions[0]?.disposition).toBe('Order placed')
  })

  it('can be taken back', () => {
    const state = reduce(start, { type: 'disposed', call: 'c1', name: '' })
    expect([shown(state), state.choices.c1?.text]).toEqual(['', ''])
  })

  it('that is refused goes back to what the switch has, and says why', () => {
    const state = reduce(sent, told({ type: 'refused', id: 1, code: 'no_such_disposition', message: '' }))
    expect([shown(state), state.choices, state.refusal?.code]).toEqual(['Complaint', {}, 'no_such_disposition'])
  })

  it('that was chosen meanwhile is not taken back with the refused one', () => {
    const changed = reduce(sent, { type: 'disposed', call: 'c1', name: 'Wrong number' })
    const state = reduce(changed, told({ type: 'refused', id: 1, code: 'no_such_disposition', message: '' }))
    expect(state.choices.c1).toEqual({ text: 'Wrong number', sending: null })
  })

  it('survives a lost socket, a logout and a reload', () => {
    const lost = [{ type: 'lost', at: 0 }, { type: 'unanswered' }] as const
    expect(lost.reduce(reduce, sent).choices.c1).toEqual({ text: 'Order placed', sending: null })
    expect(reduce(sent, { type: 'loggedOut' }).choices.c1?.text).toBe('Order placed')
    const kept = { c1: { text: 'Order placed', sending: null } }
    expect(shown(after({ type: 'draftsRestored', of: 'disposition', drafts: kept }, told(snapshot({ sessions: [session('c1')] }))))).toBe('Order placed')
  })
})

// D8
describe('what was chosen', () => {
  let clock: FakeClock
  let store: Store
  let sent: string[]

  beforeEach(() => {
    clock = new FakeClock()
    store = createStore()
    sent = []
    const send = (_: string, name: string): Promise<Outcome> => {
      sent.push(name)
      return new Promise(() => undefined)
    }
    new Remarks(store, send, clock.after, clock.cancel, 'disposition')
    store.dispatch(told(snapshot({ sessions: [session('c1')] })))
  })

  it('is sent without a pause', async () => {
    store.dispatch({ type: 'disposed', call: 'c1', name: 'Complaint' })
    await clock.pass(0)
    expect(sent).toEqual(['Complaint'])
  })

  it('without a connection is sent when it is back', async () => {
    store.dispatch({ type: 'lost', at: 0 })
    store.dispatch({ type: 'disposed', call: 'c1', name: 'Complaint' })
    await clock.pass(60_000)
    expect(sent).toEqual([])
    store.dispatch(told(snapshot({ sessions: [session('c1')] })))
    await clock.pass(0)
    expect(sent).toEqual(['Complaint'])
  })
})

// H6
describe('a caller who was blocked', () => {
  const start = after(told(snapshot({ sessions: [session('c1')] })), { type: 'asked', id: 1, ask: { type: 'block', call: 'c1', keep: 'week', note: 'Shouts' } })

  it('is shown so once the switch has it', () => {
    expect(start.blocked).toEqual({})
    expect(reduce(start, told({ type: 'done', id: 1 })).blocked).toEqual({ c1: 'week' })
  })

  it('is not when the switch refuses', () => {
    const state = reduce(start, told({ type: 'refused', id: 1, code: 'not_kept', message: '' }))
    expect([state.blocked, state.refusal?.ask]).toEqual([{}, 'block'])
  })
})
