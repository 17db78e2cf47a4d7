import { describe, expect, it } from 'vitest'
import type { AgentView } from '../src/generated/wire'
import { failure } from '../src/services/failure'
import { reduce } from '../src/state/reduce'
import { backFromMobile, isFailed, microphoneOpen, needsSound, noMicrophone, rings, task } from '../src/state/select'
import { initialState, type Desk, type State } from '../src/state/state'
import { callable, reachable } from '../src/state/targets'
import { offer, session, snapshot } from './fixtures'

const atBrowser: AgentView = { state: 'available', device: 'browser', mobileAnswering: false, mobileOutbound: false, reason: null, since: 1, then: null, departing: null, wrapUpEnds: null, wrapUpTotal: null, restsUntil: null }
const onMobile: AgentView = { ...atBrowser, device: 'mobile', mobileAnswering: true }

function at(agent: AgentView, more: Parameters<typeof snapshot>[0] = {}): State & { desk: Desk } {
  const state = reduce(initialState, { type: 'told', tell: snapshot({ agent, peer: 'none', ...more }), at: 1 })
  if (!state.desk) throw new Error('no desk')
  return { ...state, desk: state.desk }
}

// C7
describe('an agent who answers on the mobile', () => {
  it('works without sound and microphone in the page, which stays silent while the mobile rings', () => {
    const state = at(onMobile, { offer })
    expect([needsSound(state.desk), rings(state), task(state, state.desk).is]).toEqual([false, false, 'ringing'])
    expect(noMicrophone({ ...state, microphone: 'blocked' })).toBeNull()
    expect(microphoneOpen(at(onMobile, { sessions: [session('c1')] }).desk)).toBe(false)
    expect(microphoneOpen(at(atBrowser, { sessions: [session('c1')] }).desk)).toBe(true)
  })

  it('needs the sound here when the mobile is switched off, and not by going offline or while a phone rings', () => {
    const mobile = at(onMobile)
    const next = reduce(mobile, { type: 'told', tell: { type: 'agent', ...atBrowser }, at: 2 }).desk
    expect(next && next.agent.mobileAnswering).toBe(false)
    expect(next && backFromMobile(mobile.desk, next)).toBe(true)
    expect(backFromMobile(mobile.desk, at({ ...atBrowser, state: 'offline' }).desk)).toBe(false)
    expect(backFromMobile(mobile.desk, at({ ...atBrowser, device: 'phone' }).desk)).toBe(false)
    expect(backFromMobile(at({ ...onMobile, state: 'offline' }).desk, at(atBrowser).desk)).toBe(false)
    expect(backFromMobile(at(atBrowser).desk, at(atBrowser).desk)).toBe(false)
  })
})

// E2
describe('a call out whose mobile did not come', () => {
  it('says so in the agent’s words, and not that the customer failed', () => {
    const failed = session('c1', { callType: 'outbound', phase: 'ended', outcome: 'agent_lost', deviceFailed: 'mobile_not_answered' })
    expect(isFailed(failed)).toBe(true)
    expect(failure(failed)).toBe('You did not answer your mobile in time.')
    expect(failure({ ...failed, callType: 'internal', deviceFailed: 'trunk_full' })).toBe('No line was free to call your mobile.')
  })
})

// E3
describe('a colleague who is not online', () => {
  it('can be called on the mobile, and is no target of a transfer', () => {
    const colleague = { id: 1, name: 'Ada', number: '1', email: '', groups: [], state: 'offline' as const, mobile: true }
    expect([callable(colleague), reachable(colleague)]).toEqual([true, false])
    expect(callable({ ...colleague, mobile: false })).toBe(false)
  })
})
