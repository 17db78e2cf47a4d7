import type { SessionView } from '../generated/wire'
import { fill, translated } from '../i18n'
import { isInternal } from '../state/select'

/** Why a call of this agent's came to nothing, in the agent's words (E3, E5). */
export function failure(session: SessionView): string {
  // The agent's own phone or mobile never came (B4, E2).
  if (session.deviceFailed) return translated('reason', session.deviceFailed, session.deviceFailed)
  const outcome = session.outcome || ''
  const why = translated('failed', outcome, '')
  if (!isInternal(session)) return why
  // One who was never rung is told from one who rang in vain.
  const key = outcome === 'missed' && session.transfer === 'agentNotFree' ? 'not_free' : outcome
  return fill(translated('unanswered', key, why), { name: session.callerName || session.caller })
}
