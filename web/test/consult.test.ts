import { describe, expect, it } from 'vitest'
import type { Ask, ConsultView, SessionView, ToWorkstation } from '../src/generated/wire'
import { refusalText } from '../src/components/parts'
import type { Event } from '../src/state/events'
import { runCommand } from '../src/services/commands'
import type { Command } from '../src/state/keymap'
import { canConsult, canKey, consultHears, consulting, consultUp, joined, parts } from '../src/state/consult'
import { reduce } from '../src/state/reduce'
import { initialState, type Picker, type State } from '../src/state/state'
import { newPicker } from '../src/state/targets'
import { session, snapshot } from './fixtures'

const third: ConsultView = { whom: 'Li Wei', reached: 'up', side: 'third', customerLeft: false }
const told = (tell: ToWorkstation): Event => ({ type: 'told', tell, at: 1 })
const live = (more: Partial<SessionView> = {}) => told({ type: 'session', ...session('c1', more) })
const asks = (more: Partial<ConsultView> = {}) => live({ consult: { ...third, ...more } })
const inCall = told(snapshot({ sessions: [session('c1')] }))
const picker = newPicker('c1', 'consult')
const open: Event = { type: 'picking', picker }
const after = (...events: Event[]): State => events.reduce(reduce, initialState)

describe('who hears whom in a consultation (D5)', () => {
  const says = (more: Partial<SessionView>, consult: Partial<ConsultView>) => {
    const view = { ...third, ...consult }
    const shown = session('c1', { ...more, consult: view })
    return [consultHears(shown, view, false), ...parts(shown, view)]
  }

  it('is told of the agent who consults', () => {
    expect(says({}, { reached: 'asked' })).toEqual(['asked', 'waits', 'listens', 'asked'])
    expect(says({ muted: true }, { reached: 'ringing' })).toEqual(['ringing', 'waits', 'listens', 'ringing'])
    expect(says({}, {})).toEqual(['third', 'waits', 'speaks', 'speaks'])
    expect(says({}, { side: 'customer' })).toEqual(['customer', 'speaks', 'speaks', 'waits'])
    expect(says({}, { side: 'all' })).toEqual(['all', 'speaks', 'speaks', 'speaks'])
    expect(says({}, { customerLeft: true })).toEqual(['left', 'left', 'speaks', 'speaks'])
  })

  it('is told of an agent who is mute', () => {
    expect(says({ muted: true }, {})).toEqual(['thirdMuted', 'waits', 'muted', 'speaks'])
    expect(says({ muted: true }, { side: 'customer' })).toEqual(['customerMuted', 'speaks', 'muted', 'waits'])
    expect(says({ muted: true }, { side: 'all' })).toEqual(['allMuted', 'speaks', 'muted', 'speaks'])
    expect(says({ muted: true }, { customerLeft: true })).toEqual(['leftMuted', 'left', 'muted', 'speaks'])
  })

  it('is told of a guest', () => {
    const guest = (consult: Partial<ConsultView>) => says({ guest: true }, consult)[0]
    expect([guest({ reached: 'ringing' }), guest({}), guest({ side: 'customer' }), guest({ side: 'all' }), guest({ customerLeft: true })]).toEqual([
      'guestJoins', 'guestThird', 'guestCustomer', 'guestAll', 'guestLeft',
    ])
  })

  it('is nothing to rely on while the audio is away', () => {
    expect(consultHears(session('c1', { consult: third }), third, true)).toBe('away')
  })

  it('draws a cord between those who are joined', () => {
    expect([joined('speaks', 'muted'), joined('waits', 'speaks'), joined('speaks', 'ringing'), joined('left', 'speaks')]).toEqual([true, false, false, false])
  })
})

describe('what a consultation allows (D5)', () => {
  it('is swapping and joining once the third is there, and only to who consults, while there is a customer', () => {
    const shown = (more: Partial<SessionView>, consult: Partial<ConsultView> = {}) => session('c1', { consult: { ...third, ...consult }, ...more })
    const cases = [session('c1'), shown({}, { reached: 'ringing' }), shown({}), shown({ guest: true }), shown({}, { customerLeft: true })]
    expect(cases.map(each => [canConsult(each), consulting(each) !== null, consultUp(each), canKey(each)])).toEqual([
      [true, false, false, true],
      [false, true, false, false],
      [false, true, true, true],
      [false, false, false, false],
      [false, false, false, false],
    ])
  })

  const asked = (command: Exclude<Command, 'menu' | 'dial' | 'remark'>, state: State) => {
    const did: (Ask['type'] | Picker['purpose'] | null)[] = []
    runCommand(command, state, {
      ask: ask => {
        did.push(ask.type)
        return Promise.resolve({ is: 'done' as const })
      },
      pick: to => void did.push(to && to.purpose),
      keypad: () => undefined,
      flows: () => undefined,
      select: () => undefined,
      completeService: () => Promise.resolve(),
    })
    return did
  }
  const keys = ['consult', 'transfer', 'swap', 'conference', 'endConsult', 'hold', 'mute'] as const
  const all = (state: State) => keys.map(key => asked(key, state)[0])

  it('is done by key', () => {
    expect(all(after(inCall))).toEqual(['consult', 'transfer', undefined, undefined, undefined, 'hold', 'mute'])
    expect(all(after(inCall, asks({ reached: 'ringing' })))).toEqual([undefined, undefined, undefined, undefined, 'endConsult', undefined, 'mute'])
    expect(all(after(inCall, asks()))).toEqual([undefined, 'completeConsult', 'swap', 'conference', 'endConsult', undefined, 'mute'])
    expect(all(after(inCall, asks({ customerLeft: true })))).toEqual([undefined, undefined, undefined, undefined, undefined, undefined, 'mute'])
  })

  it('is nothing but hang up for a guest', () => {
    const guest = after(inCall, live({ guest: true, consult: third }))
    expect(all(guest)).toEqual(keys.map(() => undefined))
    expect(asked('hangUp', guest)).toEqual(['hangUp'])
  })

  it('is begun and left by one key, and takes turns with the transfer', () => {
    expect(asked('consult', after(inCall, open))).toEqual([null])
    expect(asked('transfer', after(inCall, open))).toEqual(['transfer'])
  })
})

describe('asking somebody (D5)', () => {
  it('leaves the picker for another choice when nobody is reached', () => {
    const refused = after(inCall, open, asks({ reached: 'ringing' }), live({ transfer: 'agentNotFree' }))
    expect([refused.picker, refused.refusal]).toEqual([picker, { ask: 'consult', code: 'agentNotFree', message: '' }])
    expect(reduce(reduce(refused, { type: 'refusalSeen' }), live({ transfer: 'agentNotFree', muted: true })).refusal).toBeNull()
    expect(reduce(refused, { type: 'picking', picker: newPicker('c1', 'transfer') }).refusal).toBeNull()
  })

  it('that came to nothing while the page was away is told with the next snapshot', () => {
    const state = after(inCall, asks({ reached: 'asked' }), told(snapshot({ sessions: [session('c1', { transfer: 'queueFull' })] })))
    expect(state.refusal).toMatchObject({ ask: 'consult', code: 'queueFull' })
  })

  it('closes the picker when the third is there, and when the agent gives it up', () => {
    expect(after(inCall, open, asks({ reached: 'ringing' })).picker).toEqual(picker)
    expect(after(inCall, open, asks({ reached: 'ringing' }), asks()).picker).toBeNull()
    expect(after(inCall, open, asks({ reached: 'ringing' }), live()).picker).toBeNull()
  })

  it('is over without a word when the third leaves', () => {
    const state = after(inCall, asks(), live())
    expect([state.refusal, state.picker]).toEqual([null, null])
  })

  it('by number: the refusal stands until the number is changed', () => {
    const typed: Picker = { ...picker, list: 'number', search: '0800' }
    const refused = after(inCall, { type: 'picking', picker: typed }, asks({ reached: 'asked' }), live({ transfer: 'numberFailed', consultOutcome: 'in_call' }))
    expect(refused.refusal).toMatchObject({ ask: 'consult', code: 'in_call' })
    expect(reduce(refused, { type: 'picking', picker: { ...typed } }).refusal).not.toBeNull()
    expect(reduce(refused, { type: 'picking', picker: { ...typed, search: '08001' } }).refusal).toBeNull()
  })

  it('is refused in words, which say that the customer is back', () => {
    const words = (code: string) => refusalText({ ask: 'consult', code, message: '' })
    expect(words('in_call')).toBe('They are in another call. Try again in a few minutes. You are back with the customer.')
    for (const code of ['noAgentOnline', 'queueFull', 'agentNotFree', 'numberFailed']) expect(words(code)).toMatch(/back with the customer/)
    expect(words('number_length')).toBe('A telephone number has 2 to 15 digits.')
  })
})
