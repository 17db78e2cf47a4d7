import { describe, expect, it } from 'vitest'
import { canConsult, canKey, canMute } from '../src/state/consult'
import { crmEvents } from '../src/state/crm'
import { reduce } from '../src/state/reduce'
import { isFailed, isInternal } from '../src/state/select'
import { initialState, type Desk } from '../src/state/state'
import { failure } from '../src/services/failure'
import { offer, session, snapshot } from './fixtures'

const withTom = session('c1', { callType: 'internal', caller: '1002', callerName: 'Tom Berg', recording: false })

function desk(more: Parameters<typeof snapshot>[0]): Desk {
  const { desk } = reduce(initialState, { type: 'told', tell: snapshot(more), at: 1 })
  if (!desk) throw new Error('no desk')
  return desk
}

// E3
describe('a call with a colleague', () => {
  it('is held and muted by either, and neither transferred, consulted in nor dialled into', () => {
    for (const call of [withTom, { ...withTom, guest: true }]) expect([canMute(call), canConsult(call), canKey(call)]).toEqual([true, false, false])
    expect(canMute(session('c2', { guest: true }))).toBe(false)
  })

  it('that came to nothing says why, with the colleague’s name', () => {
    const ended = (outcome: string, transfer: 'agentNotFree' | null = null) => ({ ...withTom, phase: 'ended' as const, outcome, transfer })
    const said = [ended('missed'), ended('missed', 'agentNotFree'), ended('in_call'), ended('no_agent_online')].map(failure)
    expect(said.every(words => words.indexOf('Tom Berg') === 0)).toBe(true)
    expect(new Set(said).size).toBe(4)
    expect([ended('missed'), ended('normal_end')].map(isFailed)).toEqual([true, false])
  })

  it('is none of the CRM’s business', () => {
    const [nobody, rings, talks] = [desk({}), desk({ offer: { ...offer, callType: 'internal' } }), desk({ sessions: [withTom] })]
    expect(isInternal(withTom)).toBe(true)
    expect(crmEvents(nobody, rings, null)).toEqual({ events: [], rang: null })
    expect(crmEvents(rings, talks, null).events).toEqual([])
    expect(crmEvents(nobody, desk({ offer }), null).events.length).toBe(1)
  })
})
