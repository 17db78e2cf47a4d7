import type { ComponentChildren } from 'preact'
import { t } from '../i18n'
import { spell, useTime } from '../services/clock'
import { audioElsewhere, liveSession, needsSound, noMicrophone } from '../state/select'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { Icon, type IconName } from './Icon'
import { Button } from './parts'

/** One line under the bar when the way to the switch or to the ear is not as it should be; the gravest first. */
export function Banner({ state, desk }: { state: State; desk: Desk }) {
  const station = useStation()
  if (state.link.is === 'lost') return <Reconnecting since={state.link.since} calling={liveSession(desk) !== null} />
  const microphone = noMicrophone(state)
  // Without a call this is the middle's task; a call keeps the middle.
  if (microphone !== null && liveSession(desk) !== null) {
    return (
      <Line icon="micoff" test="microphone-lost" text={t('microphone.lost', { what: t(`microphone.${microphone}`), first: t(`microphone.${microphone}.1`) })}>
        <Button size="s" icon="mic" onClick={() => void station.tryMicrophone()}>
          {t('microphone.again')}
        </Button>
      </Line>
    )
  }
  if (state.audioLocked && needsSound(desk)) {
    return (
      <Line icon="alert" test="audio-locked" text={t('link.audioLocked')}>
        <Button size="s" test="unlock-audio" onClick={() => station.unlock()}>
          {t('link.audioLocked.button')}
        </Button>
      </Line>
    )
  }
  if (audioElsewhere(state)) {
    return (
      <Line icon="headset" test="audio-elsewhere" text={t('link.audioElsewhere')}>
        <Button size="s" test="take-audio" onClick={() => void station.takeSound()}>
          {t('link.audioElsewhere.button')}
        </Button>
      </Line>
    )
  }
  if (desk.agent.departing !== null) {
    return (
      <Line icon="logout" test="departing" calm text={t(`link.departing.${desk.agent.departing}`)}>
        {desk.agent.departing === 'logOut' ? (
          <Button size="s" test="stay" onClick={() => void station.ask({ type: 'stay' })}>
            {t('link.departing.stay')}
          </Button>
        ) : null}
      </Line>
    )
  }
  if (state.standIn !== null) {
    return (
      <Line icon="headset" test="stand-in" calm text={t('link.standIn', { gone: state.standIn.gone || t('devices.unnamed'), used: state.standIn.used || t('devices.unnamed') })}>
        <Button size="s" onClick={() => void (location.hash = '#/device-check')}>
          {t('link.standIn.button')}
        </Button>
      </Line>
    )
  }
  if (needsSound(desk) && state.sound === 'here' && desk.peer === 'lost') return <Line icon="refresh" test="audio-lost" text={t('link.audioLost')} />
  return null
}

function Reconnecting({ since, calling }: { since: number; calling: boolean }) {
  const station = useStation()
  const gone = useTime(0, now => spell(now - since))
  return (
    <div class="lost" role="status" data-test="reconnecting">
      <Icon name="refresh" />
      <span class="cut">
        <b class="semi">{t('link.reconnecting')}</b> {t(calling ? 'link.reconnecting.call' : 'link.reconnecting.idle')}
      </span>
      <span class="h h--3">
        <span class="num">{t('link.reconnecting.for', { time: gone })}</span>
        <Button size="s" onClick={() => station.retryNow()}>
          {t('link.now')}
        </Button>
      </span>
    </div>
  )
}

function Line({ icon, test, text, calm, children }: { icon: IconName; test: string; text: string; calm?: boolean; children?: ComponentChildren }) {
  return (
    <div class={calm ? 'lost lost--calm' : 'lost'} role="status" data-test={test}>
      <Icon name={icon} />
      <span class="cut" title={text}>
        {text}
      </span>
      <span>{children}</span>
    </div>
  )
}
