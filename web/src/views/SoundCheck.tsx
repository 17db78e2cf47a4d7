import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon } from '../components/Icon'
import { Button } from '../components/parts'
import { takeMicrophone } from '../services/browserPeer'
import { chooseDevice, chosenDevices, onChoice, type Device, type Use } from '../services/devices'
import { whyNoMicrophone } from '../services/microphone'
import { canRoute, type Meter } from '../services/sound'
import type { Finding } from '../state/findings'
import { Check } from './DeviceCheck'

const STEPS = 32
/** Speech at a headset fills half of the bars. */
const HEARD = 0.45
/** Heard for so many looks at the level, sixty a second: a click on the table is shorter. */
const LONG_ENOUGH = 12
/** After this long without a word the page says what to look at. */
const PATIENCE = 6000

interface Props {
  devices: Device[]
  finding: Finding | undefined
  onFound(finding: Finding | null): void
}

/** Takes the chosen microphone, shows how loud it is, and says when it has heard somebody. */
export function MicrophoneCheck({ devices, finding, onFound }: Props) {
  const station = useStation()
  const chosen = useChosen('microphone')
  const bars = useRef<HTMLDivElement>(null)
  const id = chosen ? chosen.id : null
  useEffect(() => {
    let stream: MediaStream | null = null
    let meter: Meter | null = null
    let frame = 0
    let over = false
    onFound(null)
    const silent = setTimeout(() => {
      if (stream) onFound({ grade: 'warn', text: t('devices.microphone.silent'), help: t('devices.microphone.silent.help') })
    }, PATIENCE)
    takeMicrophone(id).then(
      taken => {
        if (over) return taken.getTracks().forEach(track => track.stop())
        stream = taken
        meter = station.sound.measure(taken)
        let level = 0
        let heard = 0
        const look = () => {
          frame = requestAnimationFrame(look)
          const now = meter ? meter.level() : 0
          level = Math.max(now, level * 0.92)
          light(bars.current, Math.round(level * STEPS))
          if (now >= HEARD && ++heard === LONG_ENOUGH) {
            clearTimeout(silent)
            onFound({ grade: 'ok', text: t('devices.microphone.heard'), help: t('devices.microphone.heard.help') })
          }
        }
        look()
      },
      (error: unknown) => {
        if (over) return
        clearTimeout(silent)
        const why = whyNoMicrophone(error)
        const known = why === 'blocked' || why === 'insecure' ? why : 'missing'
        onFound({ grade: 'fail', text: t(`microphone.${known}`), help: t('microphone.steps', { first: t(`microphone.${known}.1`), second: t(`microphone.${known}.2`) }) })
      },
    )
    return () => {
      over = true
      cancelAnimationFrame(frame)
      clearTimeout(silent)
      if (meter) meter.close()
      if (stream) stream.getTracks().forEach(track => track.stop())
    }
  }, [id])
  return (
    <Check part="microphone" icon="mic" finding={finding}>
      <Select use="microphone" label={t('devices.microphone')} devices={devices} chosen={chosen} />
      <div class="vu" ref={bars} role="img" aria-label={t('devices.microphone.level')}>
        {Array.from({ length: STEPS }, (_, index) => (
          <i key={index} />
        ))}
      </div>
      {finding ? null : <p class="t2 dim">{t('devices.microphone.say')}</p>}
    </Check>
  )
}

function light(bars: HTMLDivElement | null, lit: number) {
  if (bars) Array.prototype.forEach.call(bars.children, (bar: Element, index: number) => (bar.className = index < lit ? 'on' : ''))
}

/** Plays a tone on the chosen device; whether it was heard only the agent knows. */
export function SpeakerCheck({ devices, finding, onFound }: Props) {
  const station = useStation()
  const speaker = useChosen('speaker')
  const ringer = useChosen('ringer')
  const [playing, setPlaying] = useState<Use | null>(null)
  const [asked, setAsked] = useState(false)
  const play = (use: Use, device: Device | null) => {
    setPlaying(use)
    station.sound.tone(device ? device.id : '').then(
      () => {
        setPlaying(null)
        setAsked(true)
        onFound(null)
      },
      () => {
        setPlaying(null)
        onFound({ grade: 'fail', text: t('devices.speaker.failed'), help: t('devices.speaker.failed.help') })
      },
    )
  }
  const hears = (yes: boolean) => {
    setAsked(false)
    onFound(
      yes
        ? { grade: 'ok', text: t('devices.speaker.heard'), help: '' }
        : { grade: 'fail', text: t('devices.speaker.silent'), help: t('devices.speaker.silent.help') },
    )
  }
  return (
    <Check part="speaker" icon="speaker" finding={finding} unasked={t('devices.speaker.ask')}>
      {canRoute() ? <Select use="speaker" label={t('devices.speaker')} devices={devices} chosen={speaker} /> : null}
      {asked ? (
        <div class="h" role="group" aria-label={t('devices.speaker.question')}>
          <span>{t('devices.speaker.question')}</span>
          <Button size="s" test="heard-tone" onClick={() => hears(true)}>
            {t('devices.yes')}
          </Button>
          <Button size="s" test="heard-nothing" onClick={() => hears(false)}>
            {t('devices.no')}
          </Button>
        </div>
      ) : (
        <div>
          <Button icon="play" test="play-tone" busy={playing === 'speaker'} onClick={() => play('speaker', speaker)}>
            {t('devices.speaker.play')}
          </Button>
        </div>
      )}
      {canRoute() ? (
        <div class="ringer">
          <span class="t2 dim">{t('devices.ringer')}</span>
          <Select use="ringer" label={t('devices.ringer')} devices={devices} chosen={ringer} />
          <button type="button" class="btn btn--icon" data-test="play-ring" aria-label={t('devices.ringer.play')} title={t('devices.ringer.play')} aria-busy={playing === 'ringer' ? 'true' : undefined} onClick={() => play('ringer', ringer)}>
            <Icon name="play" size="s" />
          </button>
        </div>
      ) : null}
      {finding ? null : <p class="t2 dim">{t(canRoute() ? 'devices.speaker.help' : 'devices.speaker.fixed')}</p>}
    </Check>
  )
}

/** One of the devices that are there; the chosen one is listed though it is gone. */
function Select({ use, label, devices, chosen }: { use: Use; label: string; devices: Device[]; chosen: Device | null }) {
  const named = devices.filter(device => device.id !== '' && device.id !== 'default' && device.id !== 'communications')
  const gone = chosen !== null && !named.some(device => device.id === chosen.id)
  return (
    <span class="sel">
      <select
        class="in"
        aria-label={label}
        data-test={`choose-${use}`}
        value={chosen ? chosen.id : ''}
        onChange={event => {
          const id = event.currentTarget.value
          chooseDevice(use, named.find(device => device.id === id) || null)
        }}
      >
        <option value="">{t('devices.default')}</option>
        {named.map((device, index) => (
          <option key={device.id} value={device.id}>
            {device.label || t('devices.numbered', { number: index + 1 })}
          </option>
        ))}
        {gone && chosen ? <option value={chosen.id}>{t('devices.gone', { name: chosen.label || t('devices.unnamed') })}</option> : null}
      </select>
      <Icon name="down" />
    </span>
  )
}

function useChosen(use: Use): Device | null {
  const [, redraw] = useState(0)
  useEffect(() => onChoice(() => redraw(n => n + 1)), [])
  return chosenDevices()[use]
}
