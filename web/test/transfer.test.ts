import { describe, expect, it } from 'vitest'
import type { SessionView, TargetsView, ToWorkstation } from '../src/generated/wire'
import type { Event } from '../src/state/events'
import { runCommand } from '../src/services/commands'
import { reduce } from '../src/state/reduce'
import { agentsFound, choices, chosenTarget, groupsFound, isAnswer, nextChoice } from '../src/state/targets'
import { initialState, type Picker, type State } from '../src/state/state'
import { session, snapshot } from './fixtures'

const targets: TargetsView = {
  search: '',
  groups: [
    { id: 1, name: 'Orders', idle: 0, staffed: true },
    { id: 2, name: 'Technical help', idle: 1, staffed: true },
    { id: 3, name: 'Claims', idle: 0, staffed: false },
  ],
  agents: [
    { id: 11, name: 'Li Wei', number: '2041', email: 'wei.li@example', groups: [2], state: 'available', mobile: false },
    { id: 13, name: 'Noah Fischer', number: '2030', email: 'noah@example', groups: [1], state: 'onBreak', mobile: false },
    { id: 14, name: 'Tom Brandt', number: '2008', email: 'tom@example', groups: [1, 2], state: 'busy', mobile: false },
    { id: 15, name: 'Ada Gone', number: '2009', email: 'ada@example', groups: [3], state: 'offline', mobile: true },
  ],
  more: 0,
}
const picker: Picker = { call: 'c1', purpose: 'transfer', list: 'agents', search: '', chosen: null }

function names(search: string): string[] {
  return agentsFound(targets, search).map(({ agent }) => agent.name)
}

describe('the list of targets (D4)', () => {
  it('is searched by group, name, agent id or e-mail, every word of it', () => {
    expect(names('technical')).toEqual(['Li Wei', 'Tom Brandt'])
    expect(names('FISCHER')).toEqual(['Noah Fischer'])
    expect(names('2041')).toEqual(['Li Wei'])
    expect(names('tom@')).toEqual(['Tom Brandt'])
    expect(names(' technical  tom ')).toEqual(['Tom Brandt'])
    expect(names('nobody')).toEqual([])
    expect(groupsFound(targets, 'help').map(({ id }) => id)).toEqual([2])
  })

  it('is an answer to its own search alone', () => {
    expect(isAnswer(targets, '')).toBe(true)
    expect(isAnswer(targets, 'wei')).toBe(false)
    expect(isAnswer(null, '')).toBe(false)
  })

  it('offers available and busy agents, and every group', () => {
    expect(choices(picker, targets).map(({ id }) => id)).toEqual([11, 14])
    expect(choices({ ...picker, list: 'groups' }, targets).map(({ id }) => id)).toEqual([1, 2, 3])
  })

  it('is walked through by its choices, round and round', () => {
    const wei = { type: 'agent', id: 11 } as const
    const tom = { type: 'agent', id: 14 } as const
    expect(nextChoice(picker, targets, 1)).toEqual(wei)
    expect(nextChoice(picker, targets, -1)).toEqual(tom)
    expect(nextChoice({ ...picker, chosen: wei }, targets, 1)).toEqual(tom)
    expect(nextChoice({ ...picker, chosen: tom }, targets, 1)).toEqual(wei)
    expect(nextChoice({ ...picker, search: 'nobody' }, targets, 1)).toBeNull()
  })

  it('holds the choice only while it is shown and can be reached', () => {
    const chosen = { ...picker, chosen: { type: 'agent', id: 14 } as const }
    expect(chosenTarget(chosen, targets)).toEqual({ type: 'agent', id: 14 })
    expect(chosenTarget({ ...chosen, search: 'wei' }, targets)).toBeNull()
    const talking = { ...targets, agents: targets.agents.map(agent => (agent.id === 14 ? { ...agent, state: 'inLine' as const } : agent)) }
    expect(chosenTarget(chosen, talking)).toBeNull()
    expect(chosenTarget({ ...chosen, chosen: { type: 'group', id: 14 } }, targets)).toBeNull()
  })
})

describe('a transfer (D4)', () => {
  const told = (tell: ToWorkstation): Event => ({ type: 'told', tell, at: 1 })
  const live = (more: Partial<SessionView> = {}) => told({ type: 'session', ...session('c1', more) })
  const open: Event = { type: 'picking', picker }
  const inCall = told(snapshot({ sessions: [session('c1')] }))
  const after = (...events: Event[]): State => events.reduce(reduce, initialState)

  it('keeps the targets until nobody picks', () => {
    const tell = told({ type: 'targets', ...targets })
    expect(after(inCall, open, tell).targets).toEqual(targets)
    expect(after(inCall, open, tell, { type: 'picking', picker: { ...picker, search: 'x' } }).targets).toEqual(targets)
    expect(after(inCall, open, tell, { type: 'picking', picker: null }).targets).toBeNull()
  })

  it('that is refused is told once, and the picker stays for another choice', () => {
    const refused = after(inCall, open, live({ transfer: 'asked' }), live({ transfer: 'noAgentOnline' }))
    expect(refused.refusal).toEqual({ ask: 'transfer', code: 'noAgentOnline', message: '' })
    expect(refused.picker).toEqual(picker)
    const seen = reduce(refused, { type: 'refusalSeen' })
    expect(reduce(seen, live({ transfer: 'noAgentOnline', held: true })).refusal).toBeNull()
  })

  it('that was refused while the page was away is told with the next snapshot', () => {
    const state = after(inCall, live({ transfer: 'asked' }), told(snapshot({ sessions: [session('c1', { transfer: 'agentNotFree' })] })))
    expect(state.refusal?.code).toBe('agentNotFree')
    expect(after(told(snapshot({ sessions: [session('c1', { transfer: 'agentNotFree' })] }))).refusal).toBeNull()
  })

  it('leaves the refusal where the agent searches on, and takes it away with the next choice', () => {
    const refused = after(inCall, open, live({ transfer: 'asked' }), live({ transfer: 'queueFull' }))
    expect(reduce(refused, { type: 'picking', picker: { ...picker, search: 'x' } }).refusal?.code).toBe('queueFull')
    expect(reduce(refused, { type: 'picking', picker: { ...picker, chosen: { type: 'group', id: 1 } } }).refusal).toBeNull()
    expect(reduce(refused, { type: 'asked', id: 7, ask: { type: 'targets', search: '' } }).refusal?.code).toBe('queueFull')
    expect(reduce(refused, { type: 'picking', picker: null }).refusal).toBeNull()
  })

  it('is begun and left by key, in a conversation only', () => {
    const picked: (Picker | null)[] = []
    const station = { ask: () => Promise.resolve({ is: 'done' as const }), pick: (to: Picker | null) => void picked.push(to), keypad: () => undefined, flows: () => undefined, select: () => undefined, completeService: () => Promise.resolve() }
    runCommand('transfer', after(told(snapshot())), station)
    runCommand('transfer', after(told(snapshot({ sessions: [session('c1', { phase: 'connecting' })] }))), station)
    expect(picked).toEqual([])
    runCommand('transfer', after(inCall), station)
    runCommand('transfer', after(inCall, open), station)
    expect(picked).toEqual([{ call: 'c1', purpose: 'transfer', list: 'groups', search: '', chosen: null }, null])
  })

  it('that comes about closes the picker with the session', () => {
    const state = after(inCall, open, live({ transfer: 'asked' }), live({ phase: 'ended', ended: 5, outcome: 'agent_transfer', transfer: 'asked' }))
    expect([state.picker, state.targets, state.refusal]).toEqual([null, null, null])
    expect(after(inCall, open, told(snapshot())).picker).toBeNull()
  })
})
