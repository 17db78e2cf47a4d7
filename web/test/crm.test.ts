import { describe, expect, it } from 'vitest'
import type { ToWorkstation } from '../src/generated/wire'
import { crmAsk, crmCommand, crmEvents, crmOrigin, fillUrl, type CrmCall } from '../src/state/crm'
import { reduce } from '../src/state/reduce'
import { initialState, type Desk } from '../src/state/state'
import { offer, session, snapshot } from './fixtures'

const inLine = { state: 'inLine' as const, device: 'browser' as const, mobileAnswering: false, mobileOutbound: false, reason: null, since: 1, then: null, departing: null, wrapUpEnds: null, wrapUpTotal: null, restsUntil: null }

/** The desk after each of these messages. */
function desks(...tells: ToWorkstation[]): Desk[] {
  let state = initialState
  return tells.map(tell => {
    state = reduce(state, { type: 'told', tell, at: 1 })
    if (!state.desk) throw new Error('no desk')
    return state.desk
  })
}

/** Names of the events between each desk and the next. */
function told(...tells: ToWorkstation[]): string[][] {
  const all = desks(snapshot(), ...tells)
  let rang: CrmCall | null = null
  return all.slice(1).map((desk, at) => {
    const news = crmEvents(all[at] || null, desk, rang)
    rang = news.rang
    return news.events.map(event => `${event.event} ${event.call.id}`)
  })
}

describe('the CRM’s address (F3)', () => {
  it('has its places filled, percent-encoded, and nothing else', () => {
    const places = { caller: '+44 7700 •••• 14', called: '020', call_id: 'c1', agent: '2014', group: 'R&D/Ops?' }
    const url = fillUrl('https://crm.example/x?from={caller}&g={group}&c={call_id}&a={agent}&to={called}&{other}', places)
    expect(url).toBe('https://crm.example/x?from=%2B44%207700%20%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%2014&g=R%26D%2FOps%3F&c=c1&a=2014&to=020&{other}')
  })

  it('gives the one origin, which is never the page’s own', () => {
    expect(crmOrigin('https://CRM.example:8443/x?{caller}', 'https://here')).toBe('https://crm.example:8443')
    expect(crmOrigin('https://here/x', 'https://here')).toBeNull()
    expect(crmOrigin('javascript:alert(1)', 'https://here')).toBeNull()
    expect(crmOrigin('https://{caller}.example', 'https://here')).toBeNull()
  })
})

describe('events for the CRM', () => {
  it('tell ringing, the answer, hold and the end, each once', () => {
    const live = session('c1')
    expect(
      told(
        { type: 'agent', ...inLine },
        { type: 'offer', offer },
        { type: 'offer', offer: { ...offer, callerName: 'Hannah' } },
        { type: 'offer', offer: null },
        { type: 'session', ...live },
        { type: 'session', ...live, held: true },
        { type: 'session', ...live },
        { type: 'session', ...live, phase: 'ended', outcome: 'normal_end' },
        { type: 'sessionsGone', calls: ['c1'] },
      ),
    ).toEqual([[], ['ringing c1'], [], [], ['answered c1'], ['held c1'], ['resumed c1'], ['ended c1'], []])
  })

  it('tell the end of a call that rang in vain, and no end of what was over before', () => {
    const over = { ...inLine, state: 'available' as const }
    const rings: ToWorkstation[] = [{ type: 'agent', ...inLine }, { type: 'offer', offer }]
    expect(told(...rings, { type: 'offer', offer: null }, { type: 'agent', ...over }, { type: 'agent', ...over })).toEqual([[], ['ringing c1'], [], ['ended c1'], []])
    expect(told(...rings, { type: 'agent', ...over }, { type: 'offer', offer: null })).toEqual([[], ['ringing c1'], [], ['ended c1']])
    expect(told(...rings, { type: 'offer', offer: { ...offer, offer: 'o2', call: 'c2' } })).toEqual([[], ['ringing c1'], ['ended c1', 'ringing c2']])
    const [first] = desks(snapshot({ sessions: [session('old', { phase: 'ended' }), session('live')] }))
    if (!first) throw new Error('no desk')
    expect(crmEvents(null, first, null).events.map(event => event.event)).toEqual(['answered'])
  })

  it('tell a call out from its dialling on, and the answer when it comes', () => {
    const out = session('c1', { phase: 'dialling' })
    expect(
      told(
        { type: 'session', ...out },
        { type: 'session', ...out, phase: 'ringing' },
        { type: 'session', ...out, phase: 'talking' },
        { type: 'session', ...out, phase: 'reconnecting' },
        { type: 'session', ...out, phase: 'ended', outcome: 'normal_end' },
      ),
    ).toEqual([['dialling c1'], [], ['answered c1'], [], ['ended c1']])
  })

  it('carry the number as the switch shows it: masked stays masked', () => {
    const [before, ringing] = desks(snapshot(), { type: 'offer', offer })
    if (!before || !ringing) throw new Error('no desk')
    expect(crmEvents(before, ringing, null).events).toEqual([{ event: 'ringing', call: { id: 'c1', caller: '+44 7700 •••• 14', called: '020 7946 0100', group: 'Orders', agent: '2014' } }])
  })
})

describe('commands of the CRM', () => {
  it('are read strictly', () => {
    const command = { target: 'cordboard', id: '1', command: 'answer' }
    expect(crmCommand(command)).toEqual({ id: '1', command: 'answer' })
    expect(crmCommand({ ...command, command: 'dial', number: '+44' })).toEqual({ id: '1', command: 'dial', number: '+44' })
    for (const unknown of [{ ...command, command: 'dial' }, { ...command, command: 'wipe' }, { ...command, command: undefined }]) expect(crmCommand(unknown)).toEqual({ id: '1', command: null })
    for (const none of [null, 'answer', 7, [], { command: 'answer', id: '1' }, { ...command, id: 1 }, { ...command, id: 'x'.repeat(65) }]) expect(crmCommand(none)).toBeNull()
  })

  it('ask of the switch only what can be done now, and say why not', () => {
    const [idle, ringing, live] = desks(snapshot(), { type: 'offer', offer }, { type: 'session', ...session('c1') })
    if (!idle || !ringing || !live) throw new Error('no desk')
    expect(crmAsk({ id: '1', command: 'answer' }, ringing)).toEqual({ ask: { type: 'answer', offer: 'o1' } })
    expect(crmAsk({ id: '1', command: 'answer' }, idle)).toMatchObject({ code: 'nothing_rings' })
    expect(crmAsk({ id: '1', command: 'hang_up' }, live)).toEqual({ ask: { type: 'hangUp', call: 'c1' } })
    expect(crmAsk({ id: '1', command: 'hang_up' }, ringing)).toMatchObject({ code: 'no_call' })
    expect(crmAsk({ id: '1', command: 'dial', number: '+44' }, idle)).toEqual({ ask: { type: 'dial', to: '+44', callerId: null } })
    expect(crmAsk({ id: '1', command: 'answer' }, null)).toMatchObject({ code: 'nothing_rings' })
  })
})
