import type { SelfServiceView, SessionView } from '../generated/wire'

/** The flow in which the customer is now (D6). */
export function inFlow(session: SessionView): SelfServiceView | null {
  return session.service && session.service.running && session.phase !== 'ended' ? session.service : null
}
