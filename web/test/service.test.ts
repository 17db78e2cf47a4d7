import { describe, expect, it } from 'vitest'
import type { Ask, SelfServiceView, SessionView, ToWorkstation } from '../src/generated/wire'
import { runCommand } from '../src/services/commands'
import { canConsult, canKey } from '../src/state/consult'
import type { Event } from '../src/state/events'
import { reduce } from '../src/state/reduce'
import { microphoneOpen } from '../src/state/select'
import { inFlow } from '../src/state/service'
import { initialState, type State } from '../src/state/state'
import { newPicker } from '../src/state/targets'
import { session, snapshot } from './fixtures'

const service: SelfServiceView = { flow: 'Survey', step: 'Rating', keys: '5', results: [{ name: 'Rating', value: '5' }], running: true }
const told = (tell: ToWorkstation): Event => ({ type: 'told', tell, at: 1 })
const live = (more: Partial<SessionView> = {}) => told({ type: 'session', ...session('c1', more) })
const inCall = told(snapshot({ sessions: [session('c1')] }))
const open: Event = { type: 'flows', open: true }
const after = (...events: Event[]): State => events.reduce(reduce, initialState)

// D6
describe('self-service in a call', () => {
  it('is opened and left by the keyboard, and keeps hold and transfer away meanwhile', () => {
    const asked: string[] = []
    const station = {
      ask: (ask: Ask) => {
        asked.push(ask.type)
        return Promise.resolve({ is: 'done' as const })
      },
      pick: () => asked.push('pick'),
      flows: (open: boolean) => asked.push(open ? 'open' : 'close'),
      keypad: () => asked.push('keypad'),
      select: () => undefined,
      completeService: () => Promise.resolve(),
    }
    const press = (state: State, ...keys: ('service' | 'hold' | 'transfer' | 'endConsult' | 'keypad')[]) => keys.forEach(key => runCommand(key, state, station))
    press(after(inCall), 'service')
    press(after(inCall, open), 'service')
    press(after(inCall, live({ transfer: 'asked' })), 'service')
    press(after(inCall, live({ service })), 'service', 'hold', 'transfer', 'keypad', 'endConsult')
    expect(asked).toEqual(['open', 'close', 'endFlow'])
  })

  it('takes the customer away from hold, transfer, consultation and keypad until it is over', () => {
    const [running, over] = [session('c1', { service }), session('c1', { service: { ...service, running: false } })]
    expect([running, over].map(s => [inFlow(s) !== null, canConsult(s), canKey(s)])).toEqual([[true, false, false], [false, true, true]])
    expect(inFlow(session('c1', { phase: 'ended', service }))).toBe(null)
  })

  it('closes the microphone meanwhile', () => {
    const opened = (more: Partial<SessionView>) => microphoneOpen(after(inCall, live(more)).desk)
    expect([opened({ service }), opened({ service: { ...service, running: false } })]).toEqual([false, true])
  })

  it('has its list closed by what is chosen, and by the end of the call', () => {
    expect(after(inCall, open).flows).toBe('c1')
    expect(after(inCall, open, live({ service })).flows).toBe(null)
    expect(after(inCall, open, live({ phase: 'ended', ended: 2 })).flows).toBe(null)
    expect(after(inCall, open, { type: 'flows', open: false }).flows).toBe(null)
    expect(after(told(snapshot()), open).flows).toBe(null)
  })

  it('takes turns with the picker and the keypad', () => {
    const picking: Event = { type: 'picking', picker: newPicker('c1', 'transfer') }
    const keypad: Event = { type: 'keypad', open: true }
    const shown = (...events: Event[]) => {
      const { flows, picker, keypad } = after(inCall, ...events)
      return [flows !== null, picker !== null, keypad !== null && keypad.open]
    }
    expect(shown(picking, open)).toEqual([true, false, false])
    expect(shown(keypad, open)).toEqual([true, false, false])
    expect(shown(open, picking)).toEqual([false, true, false])
    expect(shown(open, keypad)).toEqual([false, false, true])
  })

  it('forgets why a flow was not started when the list is opened again', () => {
    const refused = after(inCall, open, { type: 'asked', id: 1, ask: { type: 'startFlow', call: 'c1', flow: 1 } }, told({ type: 'refused', id: 1, code: 'no_such_flow', message: '' }))
    expect(refused.refusal && refused.refusal.code).toBe('no_such_flow')
    expect(reduce(refused, open).refusal).toBe(null)
  })
})
