import type { Ask, SessionView } from '../generated/wire'
import { byPhone, isInternal, liveSession } from './select'
import type { Desk } from './state'

/** A call as the CRM hears of it: numbers as the switch shows them, masked where it masks. */
export interface CrmCall {
  id: string
  caller: string
  called: string
  group: string
  agent: string
}

export type CrmEvent = { event: 'ringing' | 'dialling' | 'answered' | 'held' | 'resumed' | 'ended'; call: CrmCall; outcome?: string | null }

/** What a CRM may ask for. */
export type CrmCommand = { id: string; command: 'answer' } | { id: string; command: 'hang_up' } | { id: string; command: 'dial'; number: string }

type Places = { caller: string; called: string; call_id: string; agent: string; group: string }

/** The CRM's address with its places filled, percent-encoded (F3). */
export function fillUrl(template: string, places: Places): string {
  return template.replace(/\{(caller|called|call_id|agent|group)\}/g, (_, place: keyof Places) => encodeURIComponent(places[place]))
}

/** The only origin that is talked to; null: this is no address of a page elsewhere. */
export function crmOrigin(template: string, own: string): string | null {
  const found = /^https?:\/\/[A-Za-z0-9.\-:[\]]+/.exec(template)
  if (!found) return null
  const origin = new URL(found[0]).origin
  // On its own origin the page's sandbox would be none.
  return origin === own ? null : origin
}

/** The call that the CRM's page is about: the one that rings, else the one that is shown. */
export function placesOf(call: CrmCall | null, agent: string): Places {
  return call ? { caller: call.caller, called: call.called, call_id: call.id, agent, group: call.group } : { caller: '', called: '', call_id: '', agent, group: '' }
}

export function crmCall(from: { call: string; caller: string; called: string; group: string | null }, desk: Desk): CrmCall {
  return { id: from.call, caller: from.caller, called: from.called, group: from.group || '', agent: desk.me.number }
}

/** What happened to calls between two states of the desk. `rang` is the call that rings, or rang and of which it is not known yet what became. */
export function crmEvents(before: Desk | null, after: Desk, rang: CrmCall | null): { events: CrmEvent[]; rang: CrmCall | null } {
  const events: CrmEvent[] = []
  const rings = after.offer && !isInternal(after.offer) ? crmCall(after.offer, after) : null
  const answered = rang !== null && after.sessions.some(session => session.call === rang.id)
  // The bar goes before the session comes; in line without either, the answer is on its way.
  const unknown = rings === null && after.agent.state === 'inLine'
  if (rang !== null && !answered && !unknown && (rings === null || rings.id !== rang.id)) events.push({ event: 'ended', call: rang, outcome: null })
  if (rings !== null && (rang === null || rang.id !== rings.id)) events.push({ event: 'ringing', call: rings })
  after.sessions.forEach(session => {
    // Colleagues are nobody's customers.
    if (isInternal(session)) return
    const old = before ? before.sessions.find(each => each.call === session.call) : undefined
    const call = crmCall(session, after)
    const live = session.phase !== 'ended'
    const begun = progress(session)
    if (begun !== null && begun !== (old ? progress(old) : null)) events.push({ event: begun, call })
    if (live && session.held !== (old ? old.held : false)) events.push({ event: session.held ? 'held' : 'resumed', call })
    // What had ended before the page was opened is no news.
    if (!live && before && (!old || old.phase !== 'ended')) events.push({ event: 'ended', call, outcome: session.outcome })
  })
  return { events, rang: rings || (answered || !unknown ? null : rang) }
}

/** How far a call is, as the CRM hears of it; null: nothing to tell, or over. */
export function progress({ phase }: SessionView): 'dialling' | 'answered' | null {
  switch (phase) {
    case 'dialling':
    case 'ringing':
      return 'dialling'
    case 'talking':
    case 'reconnecting':
      return 'answered'
    case 'connecting':
    case 'ended':
      return null
  }
}

/** A command in a message of the CRM; null: it is none, or not to be understood. */
export function crmCommand(data: unknown): CrmCommand | { id: string; command: null } | null {
  if (typeof data !== 'object' || data === null) return null
  const { target, id, command, number } = data as { [name: string]: unknown }
  if (target !== 'cordboard' || typeof id !== 'string' || id.length > 64) return null
  if (command === 'answer' || command === 'hang_up') return { id, command }
  if (command === 'dial' && typeof number === 'string' && number.length <= 64) return { id, command, number }
  return { id, command: null }
}

type CrmAsk = Extract<Ask, { type: 'answer' | 'hangUp' | 'dial' }>

/** What to ask of the switch for a command now, or why not. Whether a number may be called the switch says. */
export function crmAsk(command: CrmCommand, desk: Desk | null): { ask: CrmAsk } | { code: string; message: string } {
  switch (command.command) {
    case 'answer':
      if (!desk || !desk.offer || desk.offer.automatic || byPhone(desk)) return { code: 'nothing_rings', message: 'No call rings that could be answered here.' }
      return { ask: { type: 'answer', offer: desk.offer.offer } }
    case 'hang_up': {
      const live = desk ? liveSession(desk) : null
      return live ? { ask: { type: 'hangUp', call: live.call } } : { code: 'no_call', message: 'There is no call to hang up.' }
    }
    case 'dial':
      return { ask: { type: 'dial', to: command.number, callerId: null } }
  }
}
