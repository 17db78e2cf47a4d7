import type { ConsultView, SessionView } from '../generated/wire'
import { inFlow } from './service'

/** The consultation of the agent who consults (D5), while there is a customer to come back to. */
export function consulting(session: SessionView): ConsultView | null {
  const { consult } = session
  return consult && !session.guest && !consult.customerLeft ? consult : null
}

/** Whether the third is there, so that the agent can swap, join all three or complete. */
export function consultUp(session: SessionView): boolean {
  const consult = consulting(session)
  return consult !== null && consult.reached === 'up'
}

/** A conversation of two, that may be held, transferred or interrupted by a consultation or self-service. */
export function canConsult(session: SessionView): boolean {
  return session.consult === null && !session.guest && inFlow(session) === null && session.callType !== 'internal'
}

/** Whether the other side can be put on hold, and this one be silent: a colleague who was called in has only *hang up*. */
export function canMute(session: SessionView): boolean {
  return !session.guest || session.callType === 'internal'
}

/** Whether digits reach somebody (D7). */
export function canKey(session: SessionView): boolean {
  return !session.held && (canConsult(session) || consultUp(session))
}

/** What a party of a consultation does. */
export type Part = 'speaks' | 'muted' | 'waits' | 'listens' | 'asked' | 'ringing' | 'left'

/** The customer, the agent who consults, and whom they consult: in this order whoever looks. */
export function parts(session: SessionView, consult: ConsultView): [Part, Part, Part] {
  const agent: Part = session.muted ? 'muted' : 'speaks'
  if (consult.customerLeft) return ['left', agent, 'speaks']
  if (consult.reached !== 'up') return ['waits', 'listens', consult.reached]
  switch (consult.side) {
    case 'customer':
      return ['speaks', agent, 'waits']
    case 'third':
      return ['waits', agent, 'speaks']
    case 'all':
      return ['speaks', agent, 'speaks']
  }
}

/** Whether two parties are joined. */
export function joined(one: Part, other: Part): boolean {
  const talks = (part: Part) => part === 'speaks' || part === 'muted'
  return talks(one) && talks(other)
}

export type ConsultHears =
  | 'away' | 'asked' | 'ringing' | 'customer' | 'third' | 'all' | 'left' | 'customerMuted' | 'thirdMuted' | 'allMuted' | 'leftMuted'
  | 'guestJoins' | 'guestCustomer' | 'guestThird' | 'guestAll' | 'guestLeft'

/** Who hears whom in a consultation: the sentence for it. */
export function consultHears(session: SessionView, consult: ConsultView, broken: boolean): ConsultHears {
  if (broken) return 'away'
  const { side } = consult
  if (session.guest) {
    if (consult.customerLeft) return 'guestLeft'
    if (consult.reached !== 'up') return 'guestJoins'
    return side === 'customer' ? 'guestCustomer' : side === 'third' ? 'guestThird' : 'guestAll'
  }
  if (consult.customerLeft) return session.muted ? 'leftMuted' : 'left'
  if (consult.reached !== 'up') return consult.reached
  if (!session.muted) return side
  return side === 'customer' ? 'customerMuted' : side === 'third' ? 'thirdMuted' : 'allMuted'
}
