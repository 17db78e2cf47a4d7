import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Ask, Device, SessionView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon, type IconName } from '../components/Icon'
import { phaseWord } from '../components/Left'
import { MicrophoneMeter } from '../components/Meter'
import { Bars, initials, Refused } from '../components/parts'
import { CallNotes } from '../components/CallNotes'
import { spell, useTime } from '../services/clock'
import { canConsult, canKey, canMute, consultHears, consulting } from '../state/consult'
import { byPhone, isInternal, isPending, microphoneOpen, qualityBars } from '../state/select'
import type { Desk, Picker, State } from '../state/state'
import { newPicker } from '../state/targets'
import { inFlow } from '../state/service'
import { Consult } from './Consult'
import { Keypad } from './Keypad'
import { FlowOutcome, FlowPicker, FlowProgress } from './SelfService'
import { Transfer, transferring } from './Transfer'

const refusable: Ask['type'][] = ['hold', 'resume', 'mute', 'unmute', 'hangUp', 'answer', 'setState', 'swap', 'conference', 'completeConsult', 'endConsult', 'startFlow', 'endFlow', 'pauseRecording', 'resumeRecording']

/** The call view (D1–D6, D8). */
export function Call({ state, desk, session }: { state: State; desk: Desk; session: SessionView }) {
  const station = useStation()
  const away = state.link.is !== 'open'
  const call = session.call
  const name = session.callerName || session.caller
  const broken = session.phase === 'reconnecting' || away
  const usable = !away && session.phase === 'talking'
  const { consult } = session
  // While somebody is asked the picker waits behind, for another choice.
  const picker = state.picker && state.picker.call === call && !consult ? state.picker : null
  const keypad = state.keypad && state.keypad.call === call && state.keypad.open ? state.keypad : null
  const served = inFlow(session)
  const flows = state.flows === call && !served
  const calling = session.phase === 'dialling' || session.phase === 'ringing'
  const sheet = useRef<HTMLDivElement>(null)
  const picking = picker !== null
  const two = canConsult(session)
  const internal = isInternal(session)
  useFocusBack(picker ? picker.purpose : consulting(session) ? 'consult' : null, sheet)
  useFocusBack(keypad ? 'open-keypad' : null, sheet)
  useFocusBack(flows || served ? 'self-service' : null, sheet)
  const pickFor = (purpose: Picker['purpose']) => station.pick(picker && picker.purpose === purpose ? null : newPicker(call, purpose))
  return (
    <div
      class="sheet zone task"
      data-test="call"
      data-phase={session.phase}
      data-held={String(session.held)}
      data-muted={String(session.muted)}
      aria-label={t('call.label')}
      role="region"
      ref={sheet}
      onKeyDown={event => {
        if (event.key !== 'Escape' || event.isComposing) return
        if (picker) station.pick(null)
        if (keypad) station.keypad(false)
        if (flows) station.flows(false)
      }}
    >
      <div class="head">
        <div class="who">
          <span class="av av--l">{session.callerName ? initials(session.callerName) : <Icon name="user" size="l" />}</span>
          <div class="v v--0">
            <h1 class="t5 cut num" title={name}>
              {name}
            </h1>
            <span class="facts facts--line">
              {session.callerName ? <span class="num">{session.caller}</span> : null}
              {session.place ? (
                <span title={session.place}>
                  <span class="cut">{session.place}</span>
                </span>
              ) : null}
              {internal ? <span>{t('call.internal')}</span> : <span class="num">{t(session.callType === 'outbound' ? 'call.shown' : 'call.called', { number: session.called })}</span>}
            </span>
          </div>
          <Timer session={session} offset={state.clockOffset} broken={broken} />
        </div>
        <div class="meters">
          {calling && !away ? null : <Quality state={state} desk={desk} session={session} broken={broken} />}
          {byPhone(desk) ? null : <MicrophoneMeter off={!microphoneOpen(desk) || away} />}
          {session.recording ? (
            <button
              type="button"
              class="rec"
              data-test="pause-recording"
              title={t('call.recording.pause')}
              aria-pressed={session.recordingPaused ? 'true' : 'false'}
              disabled={!usable || session.guest}
              onClick={() => void station.ask({ type: session.recordingPaused ? 'resumeRecording' : 'pauseRecording', call })}
            >
              {t(session.recordingPaused ? 'call.recording.paused' : 'call.recording')}
            </button>
          ) : null}
          {session.group && !internal ? <span class="badge">{session.group}</span> : null}
        </div>
        <div class="calls">
          {!canMute(session) ? null : session.held ? (
            <Control icon="play" test="resume" pressed busy={isPending(state, 'resume')} disabled={!usable || served !== null} onClick={() => void station.ask({ type: 'resume', call })}>
              {t('call.resume')}
            </Control>
          ) : (
            <Control icon="pause" test="hold" busy={isPending(state, 'hold')} disabled={!usable || !(two || internal)} onClick={() => void station.ask({ type: 'hold', call })}>
              {t('call.hold')}
            </Control>
          )}
          {!canMute(session) ? null : session.muted ? (
            <Control icon="micoff" test="unmute" pressed busy={isPending(state, 'unmute')} disabled={!usable} onClick={() => void station.ask({ type: 'unmute', call })}>
              {t('call.unmute')}
            </Control>
          ) : (
            <Control icon="mic" test="mute" busy={isPending(state, 'mute')} disabled={!usable} onClick={() => void station.ask({ type: 'mute', call })}>
              {t('call.mute')}
            </Control>
          )}
          {session.guest || internal ? null : (
            <>
              <Control
                icon="transfer"
                test="transfer"
                expanded={picker !== null && picker.purpose === 'transfer'}
                busy={transferring(state, session)}
                disabled={!two || (!usable && !picking)}
                onClick={() => pickFor('transfer')}
              >
                {t(session.transfer === 'asked' ? 'call.transferring' : 'call.transfer')}
              </Control>
              <Control
                icon="consult"
                test="consult"
                expanded={consulting(session) !== null || (picker !== null && picker.purpose === 'consult')}
                busy={isPending(state, 'consult')}
                disabled={!two || session.transfer === 'asked' || (!usable && !picking)}
                onClick={() => pickFor('consult')}
              >
                {t('call.consult')}
              </Control>
              <Control
                icon="flow"
                test="self-service"
                expanded={flows || served !== null}
                busy={isPending(state, 'startFlow')}
                disabled={!flows && (!usable || !two || session.transfer === 'asked')}
                onClick={() => station.flows(!flows)}
              >
                {t('call.service')}
              </Control>
              <Control icon="keypad" test="open-keypad" expanded={keypad !== null} busy={false} disabled={(!usable || !canKey(session)) && !keypad} onClick={() => station.keypad(!keypad)}>
                {t('keypad.title')}
              </Control>
            </>
          )}
          <Control icon="hangup" test="hang-up" stop busy={isPending(state, 'hangUp')} disabled={away} onClick={() => void station.ask({ type: 'hangUp', call })}>
            {t('call.hangUp')}
          </Control>
        </div>
        <Hearing session={session} broken={broken} device={desk.agent.device} />
        <Refused state={state} of={picking ? refusable : refusable.concat('transfer', 'consult')} />
      </div>
      {picker ? (
        <Transfer state={state} session={session} picker={picker} usable={usable} />
      ) : keypad ? (
        <Keypad state={state} session={session} sent={keypad.sent} usable={usable && canKey(session)} />
      ) : flows ? (
        <FlowPicker state={state} session={session} usable={usable && two} />
      ) : served ? (
        <FlowProgress state={state} session={session} service={served} usable={usable} />
      ) : consult ? (
        <Consult state={state} desk={desk} session={session} consult={consult} usable={usable} />
      ) : (
        <div class="desknote">
          {session.service ? <FlowOutcome flow={session.service.flow} finished results={session.service.results} /> : null}
          <CallNotes state={state} desk={desk} session={session} rows={session.service ? 4 : 7} />
        </div>
      )}
    </div>
  )
}

/** When a panel closes, the focus goes back to the control that opened it, unless it is elsewhere already. */
function useFocusBack(opener: string | null, sheet: { current: HTMLDivElement | null }) {
  const was = useRef(opener)
  useLayoutEffect(() => {
    const control = sheet.current && was.current ? sheet.current.querySelector<HTMLElement>(`[data-test="${was.current}"]`) : null
    if (opener === null && control && document.activeElement === document.body) control.focus()
    was.current = opener
  }, [opener])
}

function Timer({ session, offset, broken }: { session: SessionView; offset: number; broken: boolean }) {
  const time = useTime(offset, now => spell(now - session.began))
  const phase = broken ? t('session.reconnecting') : phaseWord(session)
  return (
    <div class="timer">
      <b class="num">{time}</b>
      <span class={broken ? 't2 med cut timer__broken' : session.held ? 't2 med dim' : 't2 med cut timer__live'} title={phase}>
        {phase}
      </span>
    </div>
  )
}

/** One sentence at every moment: who hears whom (README, principle 3). */
function Hearing({ session, broken, device }: { session: SessionView; broken: boolean; device: Device }) {
  if (session.consult) {
    const key = consultHears(session, session.consult, broken)
    const { whom } = session.consult
    return (
      <div class={broken ? 'notice notice--warn hearing' : 'notice hearing'} role="status" data-test="hearing" data-hears={key}>
        <Icon name={broken ? 'netoff' : session.muted ? 'micoff' : 'consult'} />
        <span>{t(`consult.says.${key}`, { whom })}</span>
      </div>
    )
  }
  const served = inFlow(session)
  if (served && !broken) {
    return (
      <div class="notice hearing" role="status" data-test="hearing" data-hears="service">
        <Icon name="flow" />
        <span>{t('call.service.says', { flow: served.flow })}</span>
      </div>
    )
  }
  const [icon, key]: [IconName, 'dialling' | 'ringing' | 'connecting' | 'talking' | 'held' | 'muted' | 'reconnecting'] = broken
    ? ['netoff', 'reconnecting']
    : session.phase === 'dialling' || session.phase === 'ringing'
      ? ['out', session.phase]
      : session.phase === 'connecting'
        ? ['clock', 'connecting']
        : session.held
          ? ['music', 'held']
          : session.muted
            ? ['micoff', 'muted']
            : ['headset', 'talking']
  // What the agent must lift first (C8, E2).
  const lifted = key === 'dialling' && device !== 'browser' ? device : null
  return (
    <div class={broken ? 'notice notice--warn hearing' : 'notice hearing'} role="status" data-test="hearing" data-hears={key}>
      <Icon name={icon} />
      <span>
        {isInternal(session)
          ? t(lifted ? `internal.says.dialling.${lifted}` : `internal.says.${key}`, { name: session.callerName || session.caller })
          : t(lifted ? `call.dialling.${lifted}` : `call.${key}.says`)}
      </span>
    </div>
  )
}

function Quality({ state, desk, session, broken }: { state: State; desk: Desk; session: SessionView; broken: boolean }) {
  const quality = desk.quality && desk.quality.call === session.call ? desk.quality : null
  if (broken || state.link.is !== 'open') {
    return (
      <span class="quality">
        <Bars n={0} />
        {t('call.quality.none')}
      </span>
    )
  }
  if (!quality) {
    return (
      <span class="quality">
        <Bars n={0} />
        {t('call.quality.measuring')}
      </span>
    )
  }
  const n = qualityBars(quality.mos)
  const numbers = { loss: quality.loss.toFixed(1), jitter: Math.round(quality.jitter) }
  const title = quality.roundTrip === null ? t('call.quality.detail', numbers) : t('call.quality.detail.trip', { ...numbers, trip: Math.round(quality.roundTrip) })
  return (
    <span class="quality" title={title} data-test="quality" data-mos={quality.mos.toFixed(1)}>
      <Bars n={n} />
      {t(`call.quality.${n}`)}&nbsp;<span class="num faint">{t('call.mos', { mos: quality.mos.toFixed(1) })}</span>
    </span>
  )
}

interface ControlProps {
  icon: IconName
  test: string
  pressed?: boolean
  /** The control opens something below. */
  expanded?: boolean
  stop?: boolean
  busy: boolean
  disabled: boolean
  onClick(): void
  children: string
}

function Control({ icon, test, pressed, expanded, stop, busy, disabled, onClick, children }: ControlProps) {
  return (
    <button
      type="button"
      class={stop ? 'call call--stop' : 'call'}
      data-test={test}
      aria-pressed={stop || expanded !== undefined ? undefined : pressed ? 'true' : 'false'}
      aria-expanded={expanded === undefined ? undefined : expanded ? 'true' : 'false'}
      aria-busy={busy ? 'true' : undefined}
      disabled={disabled}
      onClick={() => {
        if (!busy) onClick()
      }}
    >
      <span class="call__in">
        <Icon name={icon} />
        <span>{children}</span>
      </span>
    </button>
  )
}
