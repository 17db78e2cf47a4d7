import type { SessionView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon } from '../components/Icon'
import { Button, initials, Refused } from '../components/parts'
import { clockTime } from '../services/clock'
import type { State } from '../state/state'
import { Note } from './WrapUp'

/** A session that has ended and was chosen from the list. */
export function Ended({ state, session }: { state: State; session: SessionView }) {
  const station = useStation()
  const name = session.callerName || session.caller
  return (
    <div class="sheet zone task scroll" data-test="ended">
      <div class="head head--wide">
        <div class="who">
          <span class="av av--l">{session.callerName ? initials(session.callerName) : <Icon name="user" size="l" />}</span>
          <div class="v v--0">
            <h1 class="t5 cut num">{name}</h1>
            <span class="facts">
              <span class="num">{clockTime(session.began)}</span>
              {session.callerName ? <span class="num">{session.caller}</span> : null}
              {session.place ? <span>{session.place}</span> : null}
              {session.group ? <span>{session.group}</span> : null}
            </span>
          </div>
          <Button kind="quiet" onClick={() => station.select(null)}>
            {t('ended.back')}
          </Button>
        </div>
      </div>
      <Refused state={state} of={['completeService']} />
      <Note state={state} session={session} />
    </div>
  )
}
