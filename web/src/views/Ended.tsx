import type { SessionView } from '../generated/wire'
import { t, translated } from '../i18n'
import { useStation } from '../components/context'
import { Icon } from '../components/Icon'
import { CallBack } from '../components/DialPad'
import { Button, initials, Refused } from '../components/parts'
import { clockTime } from '../services/clock'
import { failure } from '../services/failure'
import { isFailed, isInternal } from '../state/select'
import type { Desk, State } from '../state/state'
import { Note } from './WrapUp'

/** A session that has ended and was chosen from the list. */
export function Ended({ state, desk, session }: { state: State; desk: Desk; session: SessionView }) {
  const station = useStation()
  const name = session.callerName || session.caller
  return (
    <div class="sheet zone task scroll" data-test="ended">
      <div class="head head--wide">
        <div class="who">
          <span class="av av--l">{session.callerName ? initials(session.callerName) : <Icon name="user" size="l" />}</span>
          <div class="v v--0">
            <h1 class="t5 cut num" title={name}>
              {name}
            </h1>
            <span class="facts">
              <span class="num">{clockTime(session.began)}</span>
              {session.callerName ? <span class="num">{session.caller}</span> : null}
              {session.place ? <span>{session.place}</span> : null}
              {session.callType === 'outbound' ? <span class="num">{t('call.shown', { number: session.called })}</span> : null}
              {isInternal(session) ? <span>{t('call.internal')}</span> : session.group ? <span>{session.group}</span> : null}
            </span>
          </div>
          <Button kind="quiet" onClick={() => station.select(null)}>
            {t('ended.back')}
          </Button>
        </div>
      </div>
      {isFailed(session) ? <Failed state={state} desk={desk} session={session} /> : null}
      <Refused state={state} of={['completeService', 'callBack']} />
      <Note state={state} desk={desk} session={session} />
    </div>
  )
}

/** Why a call out came to nothing, in the agent's words, and the way on (E5). */
function Failed({ state, desk, session }: { state: State; desk: Desk; session: SessionView }) {
  const outcome = session.outcome || ''
  return (
    <section class="failed" data-test="failed" data-outcome={outcome}>
      <h2 class="t5 semi">{session.deviceFailed ? t('failed.device') : translated('status', outcome, t('session.ended'))}</h2>
      <p class="dim" data-test="failed-why">{failure(session)}</p>
      <CallBack state={state} desk={desk} call={session.call} kind="go">
        {t('failed.again')}
      </CallBack>
    </section>
  )
}
