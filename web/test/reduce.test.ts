import { describe, expect, it } from 'vitest'
import type { SessionView, ToWorkstation } from '../src/generated/wire'
import type { Event } from '../src/state/events'
import { reduce } from '../src/state/reduce'
import { ended, microphoneOpen, remarkText, rings, serving, task } from '../src/state/select'
import { initialState, type Desk, type State } from '../src/state/state'
import { offer, session, snapshot } from './fixtures'

function told(tell: ToWorkstation, at = 1_000_000): Event {
  return { type: 'told', tell, at }
}

function after(...events: Event[]): State {
  return events.reduce(reduce, initialState)
}

function desk(state: State): Desk {
  if (!state.desk) throw new Error('no desk')
  return state.desk
}

const afterCallWork = { state: 'afterCallWork' as const, device: 'browser' as const, mobileAnswering: false, mobileOutbound: false, reason: null, since: 1, then: null, departing: null, wrapUpEnds: 30, wrapUpTotal: 30, restsUntil: null }

describe('a snapshot', () => {
  it('replaces everything and sets the clock by the switch', () => {
    const state = after(told(snapshot({ sessions: [session('old')] })), told(snapshot({ now: 2_000_000, sessions: [session('new')] }), 1_999_000))
    expect(desk(state).sessions.map(s => s.call)).toEqual(['new'])
    expect(state.clockOffset).toBe(1000)
    expect(state.link).toEqual({ is: 'open' })
  })

  it('forgets requests that the old socket never answered', () => {
    const state = after(told(snapshot()), { type: 'asked', id: 1, ask: { type: 'endWrapUp' } }, told(snapshot()))
    expect(state.pending).toEqual({})
  })

  it('keeps the measured quality of a call that goes on', () => {
    const quality: ToWorkstation = { type: 'quality', call: 'c1', mos: 4.2, loss: 0, jitter: 2, roundTrip: null }
    const live = snapshot({ sessions: [session('c1')] })
    expect(desk(after(told(live), told(quality), told(live))).quality?.mos).toBe(4.2)
    expect(desk(after(told(live), told(quality), told(snapshot()))).quality).toBeNull()
  })
})

describe('events carry whole objects', () => {
  it('replaces the queues of the same groups and adds unknown ones', () => {
    const returns = { group: 2, name: 'Returns', waiting: 1, oldest: 6 }
    const state = after(
      told(snapshot()),
      told({ type: 'queues', queues: [{ group: 1, name: 'Orders', waiting: 2, oldest: 5 }, returns] }),
    )
    expect(desk(state).queues).toEqual([
      { group: 1, name: 'Orders', waiting: 2, oldest: 5 },
      { group: 2, name: 'Returns', waiting: 1, oldest: 6 },
    ])
  })

  it('replaces the session of the same call, and puts a new one at the front', () => {
    const state = after(told(snapshot({ sessions: [session('a')] })), told({ type: 'session', ...session('b') }), told({ type: 'session', ...session('a', { held: true }) }))
    expect(desk(state).sessions.map(s => [s.call, s.held])).toEqual([
      ['b', false],
      ['a', true],
    ])
  })

  it('takes put-away sessions out, and looks away from them', () => {
    const state = after(
      told(snapshot({ sessions: [session('a', { phase: 'ended', ended: 5 }), session('b', { phase: 'ended', ended: 4 })] })),
      { type: 'selected', call: 'b' },
      told({ type: 'sessionsGone', calls: ['b'] }),
    )
    expect(desk(state).sessions.map(s => s.call)).toEqual(['a'])
    expect(state.selected).toBeNull()
  })

  it('ignores what comes before the first snapshot', () => {
    expect(after(told({ type: 'offer', offer }))).toEqual(initialState)
  })
})

// F3
describe('the one thing to do now', () => {
  const done = session('old', { phase: 'ended', ended: 5 })

  it('is the ringing call, whatever was looked at', () => {
    const state = after(told(snapshot({ sessions: [done] })), { type: 'selected', call: 'old' }, told({ type: 'offer', offer }))
    expect(task(state, desk(state)).is).toBe('ringing')
  })

  it('is what was looked at before, never again after the ringing', () => {
    const state = after(told(snapshot({ sessions: [done] })), { type: 'selected', call: 'old' }, told({ type: 'offer', offer }), told({ type: 'offer', offer: null }))
    expect(task(state, desk(state)).is).toBe('idle')
  })

  it('is the live call, and the after-call work that follows it', () => {
    const live = after(told(snapshot({ sessions: [done] })), told({ type: 'session', ...session('c1') }))
    expect(task(live, desk(live))).toMatchObject({ is: 'call', session: { call: 'c1' } })
    const over = [told({ type: 'session', ...session('c1', { phase: 'ended', ended: 9 }) }), told({ type: 'agent', ...afterCallWork })].reduce(reduce, live)
    expect(task(over, desk(over))).toMatchObject({ is: 'wrapUp', session: { call: 'c1' } })
    expect(serving(desk(over)).map(s => s.call)).toEqual(['c1'])
    expect(ended(desk(over)).map(s => s.call)).toEqual(['old'])
  })

  it('is after-call work even when its session was put away already', () => {
    const state = after(told(snapshot({ agent: afterCallWork })))
    expect(task(state, desk(state))).toEqual({ is: 'wrapUp', session: null })
  })

  it('is the missing microphone, but never in front of a call', () => {
    const blocked = after(told(snapshot()), { type: 'microphone', is: 'blocked' })
    expect(task(blocked, desk(blocked)).is).toBe('microphone')
    const talking = reduce(blocked, told({ type: 'session', ...session('c1') }))
    expect(task(talking, desk(talking)).is).toBe('call')
  })
})

// F7
describe('the microphone', () => {
  const open = (more: Partial<SessionView>) => microphoneOpen(desk(after(told(snapshot({ sessions: [session('c1', more)] })))))

  it('is open while the customer may hear it, and at no other time', () => {
    expect(open({})).toBe(true)
    expect(open({ held: true })).toBe(false)
    expect(open({ muted: true })).toBe(false)
    expect(open({ phase: 'connecting' })).toBe(false)
    expect(open({ phase: 'reconnecting' })).toBe(false)
    expect(open({ phase: 'ended' })).toBe(false)
    expect(microphoneOpen(desk(after(told(snapshot({ offer })))))).toBe(false)
    expect(microphoneOpen(null)).toBe(false)
  })
})

// F6
describe('the ring', () => {
  it('sounds in the tab that has the audio only', () => {
    expect(rings(after(told(snapshot({ offer }))))).toBe(true)
    expect(rings(after(told(snapshot({ offer, audioOwner: false }))))).toBe(false)
    expect(rings(after(told(snapshot())))).toBe(false)
  })

  it('stays away from an automatic answer and from a lost connection', () => {
    expect(rings(after(told(snapshot({ offer: { ...offer, automatic: true } }))))).toBe(false)
    expect(rings(after(told(snapshot({ offer })), { type: 'lost', at: 5 }))).toBe(false)
  })
})

describe('requests', () => {
  it('are pending until they are answered', () => {
    const asked = after(told(snapshot()), { type: 'asked', id: 7, ask: { type: 'hold', call: 'c1' } })
    expect(asked.pending).toEqual({ 7: { type: 'hold', call: 'c1' } })
    expect(reduce(asked, told({ type: 'done', id: 7 })).pending).toEqual({})
  })

  it('show why they were refused, until the next try', () => {
    const refused = after(told(snapshot()), { type: 'asked', id: 7, ask: { type: 'hold', call: 'c1' } }, told({ type: 'refused', id: 7, code: 'no_call', message: 'The call is over.' }))
    expect(refused.refusal).toEqual({ ask: 'hold', code: 'no_call', message: 'The call is over.' })
    expect(reduce(refused, { type: 'asked', id: 8, ask: { type: 'hold', call: 'c1' } }).refusal).toBeNull()
  })

  it('that the page makes by itself neither show nor clear a refusal', () => {
    const refused = after(told(snapshot()), { type: 'asked', id: 7, ask: { type: 'hold', call: 'c1' } }, told({ type: 'refused', id: 7, code: 'x', message: 'y' }))
    const pinged = [{ type: 'asked', id: 8, ask: { type: 'ping' } }, told({ type: 'refused', id: 8, code: 'z', message: '' })].reduce(reduce as (s: State, e: unknown) => State, refused)
    expect(pinged.refusal?.ask).toBe('hold')
  })
})

describe('the connection', () => {
  it('keeps everything on screen while it is lost, and knows since when', () => {
    const state = after(told(snapshot({ sessions: [session('c1')] })), { type: 'lost', at: 77 }, { type: 'connecting' }, { type: 'lost', at: 99 })
    expect(state.link).toEqual({ is: 'lost', since: 77 })
    expect(desk(state).sessions).toHaveLength(1)
  })

  it('stays taken over when the socket closes after it', () => {
    expect(after(told(snapshot()), told({ type: 'takenOver' }), { type: 'lost', at: 5 }).link).toEqual({ is: 'takenOver' })
  })

  it('forgets the agent at log-out, but no unsaved remark', () => {
    const state = after(told(snapshot({ sessions: [session('c1')] })), { type: 'typed', call: 'c1', text: 'half a' }, { type: 'loggedOut' })
    expect(state.desk).toBeNull()
    expect(state.drafts).toEqual({ c1: { text: 'half a', sending: null } })
  })
})

// D8
describe('a remark being typed', () => {
  const start = after(told(snapshot({ sessions: [session('c1', { remark: 'before' })] })), { type: 'typed', call: 'c1', text: 'before, and m' })
  const shown = (state: State) => remarkText(state, desk(state).sessions[0] as SessionView)

  it('stands against any event of its session', () => {
    const state = [told({ type: 'session', ...session('c1', { held: true, remark: 'before' }) }), told(snapshot({ sessions: [session('c1', { remark: 'before' })] }))].reduce(reduce, start)
    expect(shown(state)).toBe('before, and m')
  })

  it('stands when the switch confirms an older text', () => {
    const state = [
      { type: 'asked', id: 1, ask: { type: 'remark', call: 'c1', text: 'before, and m' } } as Event,
      { type: 'typed', call: 'c1', text: 'before, and more' } as Event,
      told({ type: 'done', id: 1 }),
      told({ type: 'session', ...session('c1', { remark: 'before, and m' }) }),
    ].reduce(reduce, start)
    expect(shown(state)).toBe('before, and more')
    expect(state.drafts.c1).toEqual({ text: 'before, and more', sending: null })
  })

  it('is the session’s own once the switch has it', () => {
    const state = [{ type: 'asked', id: 1, ask: { type: 'remark', call: 'c1', text: 'before, and m' } } as Event, told({ type: 'done', id: 1 })].reduce(reduce, start)
    expect(state.drafts).toEqual({})
    expect(shown(state)).toBe('before, and m')
  })

  it('is to be sent again when the socket went away first', () => {
    const state = [{ type: 'asked', id: 1, ask: { type: 'remark', call: 'c1', text: 'before, and m' } } as Event, { type: 'lost', at: 5 } as Event, { type: 'unanswered' } as Event].reduce(reduce, start)
    expect(state.drafts.c1).toEqual({ text: 'before, and m', sending: null })
  })

  it('goes with its session', () => {
    expect(reduce(start, told({ type: 'sessionsGone', calls: ['c1'] })).drafts).toEqual({})
  })

  it('comes back after a reload, unless the page has newer words', () => {
    const state = after(told(snapshot({ sessions: [session('c1')] })), { type: 'draftsRestored', of: 'remark', drafts: { c1: { text: 'kept', sending: null } } })
    expect(shown(state)).toBe('kept')
    expect(reduce(start, { type: 'draftsRestored', of: 'remark', drafts: { c1: { text: 'kept', sending: null } } }).drafts.c1?.text).toBe('before, and m')
  })
})
