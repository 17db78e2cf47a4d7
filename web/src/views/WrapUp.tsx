import type { ChosenState, SessionView } from '../generated/wire'
import { t, translated } from '../i18n'
import { useStation } from '../components/context'
import { CallBack } from '../components/DialPad'
import { Button, Glyph, Refused, Ring } from '../components/parts'
import { CallNotes } from '../components/CallNotes'
import { SessionRecording } from '../components/Player'
import { spell, useTime } from '../services/clock'
import { isFailed, isInternal, isPending } from '../state/select'
import type { Desk, State } from '../state/state'
import { FlowOutcome } from './SelfService'

/** After-call work (B2). */
export function WrapUp({ state, desk, session }: { state: State; desk: Desk; session: SessionView | null }) {
  const station = useStation()
  const { agent } = desk
  const name = session ? session.callerName || session.caller : null
  const after: ChosenState = agent.then || 'available'
  const timed = agent.wrapUpEnds !== null
  const title = name ? t('wrapUp.title.for', { name }) : t('wrapUp.title')
  return (
    <div class="sheet zone task scroll" data-test="wrap-up">
      <div class="wrapup" data-st="acw">
        <Countdown desk={desk} offset={state.clockOffset} />
        <div class="v v--0">
          <span class="state" data-st="acw">
            <Glyph state="afterCallWork" />
            {t('state.afterCallWork')}
          </span>
          <h1 class="t6 cut" title={title}>
            {title}
          </h1>
          <p class="dim">{timed ? t(`wrapUp.lead.then.${after}`) : t('wrapUp.lead.open')}</p>
          <div class="h wrapup__acts">
            <Button kind="primary" icon="headset" test="return-to-reception" busy={isPending(state, 'endWrapUp')} onClick={() => void station.ask({ type: 'endWrapUp' })}>
              {t('wrapUp.end')}
            </Button>
            {timed ? (
              <Button test="continue-wrap-up" busy={isPending(state, 'continueWrapUp')} onClick={() => void station.ask({ type: 'continueWrapUp' })}>
                {t('wrapUp.continue')}
              </Button>
            ) : null}
          </div>
        </div>
      </div>
      <Refused state={state} of={['endWrapUp', 'continueWrapUp', 'completeService', 'callBack', 'setState']} />
      {session ? <Note state={state} desk={desk} session={session} /> : null}
    </div>
  )
}

function Countdown({ desk, offset }: { desk: Desk; offset: number }) {
  const { since, wrapUpEnds, wrapUpTotal } = desk.agent
  const left = useTime(offset, now => (wrapUpEnds === null ? 0 : Math.max(0, Math.ceil((wrapUpEnds - now) / 1000))))
  const gone = useTime(offset, now => spell(now - since))
  if (wrapUpEnds === null) return <Ring size="xl" left={1} text={gone} label={t('state.for', { time: gone })} />
  const text = spell(left * 1000)
  const total = wrapUpTotal ? wrapUpTotal / 1000 : Math.max(1, (wrapUpEnds - since) / 1000)
  return <Ring size="xl" left={(left - (left > 0 ? 1 : 0)) / total} text={text} label={t('wrapUp.left', { time: text })} />
}

/** Remark, facts and recording of an ended session; also the view of one chosen from the list. */
export function Note({ state, desk, session }: { state: State; desk: Desk; session: SessionView }) {
  const station = useStation()
  const by = session.hungUpBy
  // Nobody hung up: the customer went on to somebody else.
  const failed = isFailed(session)
  const transferred = session.outcome === 'agent_transfer'
  return (
    <div class="note">
      <CallNotes state={state} desk={desk} session={session} rows={3} />
      {session.service ? <FlowOutcome flow={session.service.flow} finished={!session.service.running} results={session.service.results} /> : null}
      <div class="facts t2">
        <span class="num">{t('wrapUp.talked', { time: spell((session.ended || session.began) - session.began) })}</span>
        {session.outcome && !failed ? <span>{translated('status', session.outcome, session.outcome)}</span> : null}
        {!transferred && !failed && (by === 'customer' || by === 'agent' || by === 'switch') && !isInternal(session) ? <span>{t(`ended.hungUp.${by}`)}</span> : null}
      </div>
      {session.recording ? <SessionRecording call={session.call} /> : null}
      <div class="note__foot">
        {failed ? null : (
          <CallBack state={state} desk={desk} call={session.call}>
            {t(isInternal(session) ? 'ended.callAgain' : 'ended.callBack')}
          </CallBack>
        )}
        <Button icon="check" test="complete" busy={isPending(state, 'completeService')} onClick={() => void station.completeService(session.call)}>
          {t('ended.complete')}
        </Button>
      </div>
    </div>
  )
}
