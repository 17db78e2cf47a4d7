import { describe, expect, it } from 'vitest'
import type { SessionView, ToWorkstation } from '../src/generated/wire'
import { reduce } from '../src/state/reduce'
import { dialRefused, isFailed, justFailed, otherOf, task } from '../src/state/select'
import { initialState, type Desk, type State } from '../src/state/state'
import type { Event } from '../src/state/events'
import { offer, session, snapshot } from './fixtures'

const told = (tell: ToWorkstation): Event => ({ type: 'told', tell, at: 1_000_000 })
const after = (...events: Event[]): State => events.reduce(reduce, initialState)
const out = (more: Partial<SessionView>) => session('c1', { callType: 'outbound', ...more })
const shows = (more: Partial<SessionView>): Event => told({ type: 'session', ...out(more) })

function desk(state: State): Desk {
  if (!state.desk) throw new Error('no desk')
  return state.desk
}

describe('a call out (E5)', () => {
  it('that comes to nothing is shown with its reason, unless a caller rings', () => {
    const failed = { phase: 'ended' as const, ended: 2000, outcome: 'power_off' }
    const calling = after(told(snapshot()), shows({ phase: 'dialling' }), shows({ phase: 'ringing' }))
    expect(task(calling, desk(calling))).toMatchObject({ is: 'call' })
    const over = reduce(calling, shows(failed))
    expect(task(over, desk(over))).toMatchObject({ is: 'ended', session: { outcome: 'power_off' } })
    expect(justFailed(desk(calling), desk(over))).toMatchObject({ call: 'c1' })
    expect(justFailed(desk(over), desk(over))).toBeNull()
    const offered = reduce(reduce(calling, told({ type: 'offer', offer })), shows(failed))
    expect(offered.selected).toBeNull()
  })

  it('that was a conversation is in after-call work, and no failure', () => {
    const talked = after(told(snapshot()), shows({ phase: 'dialling' }), shows({ phase: 'talking' }), shows({ phase: 'ended', ended: 9, outcome: 'normal_end' }))
    expect(talked.selected).toBeNull()
    expect(['normal_end', 'agent_transfer', 'missed', 'not_permitted'].map(outcome => isFailed(out({ phase: 'ended', outcome })))).toEqual([false, false, true, true])
    expect(isFailed(session('c2', { phase: 'ended', outcome: 'abandoned_queue' }))).toBe(false)
  })

  it('can be made in every state but offline and in line (B)', () => {
    const states = ['available', 'busy', 'onBreak', 'afterCallWork', 'inLine', 'offline'] as const
    const refused = states.map(state => {
      const first = desk(after(told(snapshot())))
      return dialRefused({ ...initialState, link: { is: 'open' } }, { ...first, agent: { ...first.agent, state } })
    })
    expect(refused).toEqual([null, null, null, null, 'inLine', 'offline'])
    const lost = after(told(snapshot()), { type: 'lost', at: 1 })
    expect(dialRefused(lost, desk(lost))).toBe('away')
  })

  it('has the customer under the contact number of its record', () => {
    const record = { callType: 'outbound', caller: 'ours', contact: 'theirs' } as Parameters<typeof otherOf>[0]
    expect([otherOf(record, '2014'), otherOf({ ...record, callType: 'inbound' }, '2014')]).toEqual(['theirs', 'ours'])
    const internal = { ...record, callType: 'internal', caller: '2014', contact: '2041' }
    expect(['2014', '2041'].map(own => otherOf(internal, own))).toEqual(['2041', '2014'])
  })
})

describe('the keypad (D7)', () => {
  const digits = (id: number, text: string): Event => ({ type: 'asked', id, ask: { type: 'digits', call: 'c1', digits: text } })
  const open = after(told(snapshot({ sessions: [out({ phase: 'talking' })] })), { type: 'keypad', open: true })

  it('shows what the switch has taken, and goes with its call', () => {
    const asked = [digits(1, '1'), digits(2, ',,204#')].reduce(reduce, open)
    expect(asked.keypad).toEqual({ call: 'c1', open: true, sent: '' })
    const sent = [told({ type: 'done', id: 1 }), told({ type: 'done', id: 2 })].reduce(reduce, asked)
    const closed = reduce(sent, { type: 'keypad', open: false })
    expect(reduce(closed, { type: 'keypad', open: true }).keypad).toEqual({ call: 'c1', open: true, sent: '1,,204#' })
    const refused = reduce(reduce(sent, digits(3, 'x')), told({ type: 'refused', id: 3, code: 'no_digits', message: '' }))
    expect([refused.keypad, refused.refusal]).toMatchObject([{ sent: '1,,204#' }, { ask: 'digits', code: 'no_digits' }])
    expect(reduce(sent, shows({ phase: 'ended', ended: 5, outcome: 'normal_end' })).keypad).toBeNull()
  })

  it('and the transfer take turns', () => {
    const picking = reduce(open, { type: 'picking', picker: { call: 'c1', purpose: 'transfer', list: 'groups', search: '', chosen: null } })
    expect([picking.keypad && picking.keypad.open, picking.picker !== null]).toEqual([false, true])
    const back = reduce(picking, { type: 'keypad', open: true })
    expect([back.keypad && back.keypad.open, back.picker]).toEqual([true, null])
    expect(reduce(after(told(snapshot())), { type: 'keypad', open: true }).keypad).toBeNull()
  })
})
