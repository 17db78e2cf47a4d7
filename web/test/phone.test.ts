import { describe, expect, it } from 'vitest'
import type { AgentView, Ask } from '../src/generated/wire'
import { runCommand } from '../src/services/commands'
import { reduce } from '../src/state/reduce'
import { audioElsewhere, isOnline, needsSound, rings, task } from '../src/state/select'
import { initialState, type Desk, type State } from '../src/state/state'
import { offer, session, snapshot } from './fixtures'

const atBrowser: AgentView = { state: 'available', device: 'browser', mobileAnswering: false, mobileOutbound: false, reason: null, since: 1, then: null, departing: null, wrapUpEnds: null, wrapUpTotal: null, restsUntil: null }
const atPhone: AgentView = { ...atBrowser, device: 'phone' }

function at(agent: AgentView, more: Parameters<typeof snapshot>[0] = {}): State & { desk: Desk } {
  const state = reduce(initialState, { type: 'told', tell: snapshot({ agent, peer: 'none', ...more }), at: 1 })
  if (!state.desk) throw new Error('no desk')
  return { ...state, desk: state.desk }
}

describe('an agent with a phone (C8)', () => {
  it('is online without sound in the page', () => {
    expect(isOnline(at(atPhone).desk)).toBe(true)
    expect(needsSound(at(atPhone).desk)).toBe(false)
    expect(needsSound(at(atBrowser).desk)).toBe(true)
    expect(needsSound(at({ ...atBrowser, state: 'offline' }).desk)).toBe(false)
  })

  it('is not told that the sound is in another tab', () => {
    expect(audioElsewhere({ ...at(atPhone), sound: 'elsewhere' })).toBe(false)
    expect(audioElsewhere({ ...at(atBrowser), sound: 'elsewhere' })).toBe(true)
  })

  it('is shown the call while the page stays silent: the phone rings', () => {
    const state = at(atPhone, { offer })
    expect(task(state, state.desk).is).toBe('ringing')
    expect(rings(state)).toBe(false)
    expect(rings(at(atBrowser, { offer }))).toBe(true)
  })

  it('works on with a microphone that the browser has refused', () => {
    const blocked = (agent: AgentView) => ({ ...at(agent), microphone: 'blocked' as const })
    expect(task(blocked(atPhone), at(atPhone).desk).is).toBe('idle')
    expect(task(blocked(atBrowser), at(atBrowser).desk).is).toBe('microphone')
  })

  it('declines, holds and hangs up by key, and answers at the phone only', () => {
    const asks: Ask['type'][] = []
    const station = { ask: (ask: Ask) => (asks.push(ask.type), Promise.resolve({ is: 'done' as const })), select: () => undefined, pick: () => undefined, keypad: () => undefined, flows: () => undefined, completeService: () => Promise.resolve() }
    runCommand('answer', at(atPhone, { offer }), station)
    runCommand('decline', at(atPhone, { offer }), station)
    runCommand('hold', at(atPhone, { sessions: [session('c1')] }), station)
    runCommand('hangUp', at(atPhone, { sessions: [session('c1')] }), station)
    expect(asks).toEqual(['decline', 'hold', 'hangUp'])
    runCommand('answer', at(atBrowser, { offer }), station)
    expect(asks.slice(3)).toEqual(['answer'])
  })
})
