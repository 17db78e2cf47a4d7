import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon, type IconName } from '../components/Icon'
import { Button } from '../components/parts'
import { copyText } from '../services/clipboard'
import { onDevices, present, type Device } from '../services/devices'
import { measureNetwork } from '../services/network'
import { browserOf, gradeNetwork, type Grade, type Network } from '../state/network'
import { reportOf, worst, type Finding, type Findings, type Part } from '../state/findings'
import { MicrophoneCheck, SpeakerCheck } from './SoundCheck'
import { NetworkCheck } from './NetworkCheck'

const marks: { [grade in Grade]: IconName } = { ok: 'check', warn: 'alert', fail: 'x' }

/** What a headset, a browser and a network must do for calls, tried out before the first one (F4). */
export function DeviceCheck() {
  const station = useStation()
  const [round, setRound] = useState(0)
  const [findings, setFindings] = useState<Findings>({})
  const [network, setNetwork] = useState<Network | null>(null)
  const find = (part: Part, finding: Finding | null) => setFindings(known => ({ ...known, [part]: finding || undefined }))
  const speakers = usePresent('audiooutput', round)
  const microphones = usePresent('audioinput', round, findings.microphone)
  const cameras = usePresent('videoinput', round)
  const again = () => {
    setFindings({})
    setNetwork(null)
    setRound(n => n + 1)
  }
  useEffect(() => {
    find('browser', browser())
    find('webrtc', webrtc())
    find('notifications', notifications())
    let current = true
    void measureNetwork(station, part => current && setNetwork(known => ({ ...empty, ...known, ...part }))).then(measured => {
      if (!current) return
      station.lineMeasured(measured)
      const { grade, says } = gradeNetwork(measured)
      find('network', { grade, text: t(`devices.network.${says}`), help: t(`devices.network.${says}.help`, { address: measured.address || location.hostname }) })
    })
    return () => {
      current = false
    }
  }, [round])
  useEffect(() => {
    if (cameras !== null) find('camera', { grade: 'ok', text: t(cameras.length ? 'devices.camera.there' : 'devices.camera.none'), help: t('devices.camera.help') })
  }, [cameras])
  const overall = worst(findings)
  return (
    <main class="sheet page scroll" data-test="device-check">
      <div class="checks__in">
        <div class="split">
          <div class="h h--4">
            <span class={`av av--l av--icon verdict verdict--${overall.grade || 'busy'}`}>
              <Icon name={overall.grade ? marks[overall.grade] : 'refresh'} size="l" />
            </span>
            <div class="v v--0" role="status">
              <h1 class="t5 semi" data-test="verdict" data-grade={overall.grade || 'busy'}>
                {t(`devices.verdict.${overall.grade || 'busy'}`)}
              </h1>
              <p class="dim">{overall.text || t('devices.lead')}</p>
            </div>
          </div>
          <div class="h">
            <Button icon="copy" test="copy-report" onClick={() => void copy()}>
              {t('devices.copy')}
            </Button>
            <Button kind="primary" icon="refresh" test="check-again" onClick={again}>
              {t('devices.again')}
            </Button>
          </div>
        </div>
        <div class="checks">
          <MicrophoneCheck key={`microphone.${round}`} devices={microphones || []} finding={findings.microphone} onFound={finding => find('microphone', finding)} />
          <SpeakerCheck key={`speaker.${round}`} devices={speakers || []} finding={findings.speaker} onFound={finding => find('speaker', finding)} />
          <Check part="camera" icon="camera" finding={findings.camera} />
          <NetworkCheck network={network} finding={findings.network} />
          <Check part="browser" icon="globe" finding={findings.browser} />
          <Check part="webrtc" icon="phone" finding={findings.webrtc} />
          <Check part="notifications" icon="bell" finding={findings.notifications}>
            {typeof Notification !== 'undefined' && Notification.permission === 'default' ? (
              <div>
                <Button size="s" test="allow-notifications" onClick={() => void station.askForNotifications().then(() => find('notifications', notifications()))}>
                  {t('devices.notifications.allow')}
                </Button>
              </div>
            ) : null}
          </Check>
        </div>
      </div>
    </main>
  )

  function copy(): Promise<void> {
    const numbers = network
      ? [
          `${t('devices.roundTrip')}: ${network.roundTrip === null ? '–' : `${Math.round(network.roundTrip)} ms`}`,
          `${t('devices.loss')}: ${network.path ? `${network.path.loss.toFixed(1)} %` : '–'}`,
          `${t('devices.jitter')}: ${network.path && network.path.jitter !== null ? `${Math.round(network.path.jitter)} ms` : '–'}`,
          `${t('devices.down')}: ${network.down === null ? '–' : `${Math.round(network.down)} kbit/s`}`,
          `${t('devices.up')}: ${network.up === null ? '–' : `${Math.round(network.up)} kbit/s`}`,
        ]
      : []
    const report = reportOf(findings, part => t(`devices.${part}`), [new Date().toISOString(), navigator.userAgent, location.origin], numbers)
    return copyText(report).then(done => station.toast(t(done ? 'devices.copied' : 'devices.copied.not')))
  }
}

const empty: Network = { roundTrip: null, path: null, down: null, up: null, address: null }

/** One thing that is checked: what it is, how it is, and what to do; `unasked` is said while it waits for the agent and not for the page. */
export function Check({ part, icon, finding, unasked, wide, children }: { part: Part; icon: IconName; finding: Finding | undefined; unasked?: string; wide?: boolean; children?: ComponentChildren }) {
  return (
    <section class={wide ? 'check check--wide' : 'check'} aria-labelledby={`check-${part}`} data-test={`check-${part}`} data-grade={finding ? finding.grade : 'busy'}>
      <header>
        <Icon name={icon} />
        <h2 class="med" id={`check-${part}`}>
          {t(`devices.${part}`)}
        </h2>
        <span class={finding ? `res res--${finding.grade}` : 'res'} role="status">
          <Icon name={finding ? marks[finding.grade] : unasked ? 'info' : 'refresh'} size="s" />
          <span>{finding ? finding.text : unasked || t('devices.busy')}</span>
        </span>
      </header>
      {children}
      {finding && finding.help ? <p class="t2 dim">{finding.help}</p> : null}
    </section>
  )
}

/** The devices of a kind, looked up again when they come and go; null: not known yet. */
function usePresent(kind: MediaDeviceKind, round: number, changed?: unknown): Device[] | null {
  const [devices, setDevices] = useState<Device[] | null>(null)
  const current = useRef(true)
  useEffect(() => {
    current.current = true
    const look = () => void present(kind).then(found => current.current && setDevices(found))
    look()
    const stop = onDevices(look)
    return () => {
      current.current = false
      stop()
    }
  }, [round, changed])
  return devices
}

function browser(): Finding {
  const { name, version, grade } = browserOf(navigator.userAgent)
  const text = t(`devices.browser.${grade}`)
  return { grade, text, help: name ? `${name} ${version}, ${navigator.platform}` : navigator.userAgent }
}

function webrtc(): Finding {
  const secure = window.isSecureContext && navigator.mediaDevices && navigator.mediaDevices.getUserMedia
  if (typeof RTCPeerConnection === 'undefined') return { grade: 'fail', text: t('devices.webrtc.none'), help: t('devices.webrtc.none.help') }
  if (!secure) return { grade: 'fail', text: t('devices.webrtc.insecure'), help: t('microphone.insecure.2') }
  return { grade: 'ok', text: t('devices.webrtc.ok'), help: t('devices.webrtc.ok.help') }
}

function notifications(): Finding {
  const permission = typeof Notification === 'undefined' ? 'denied' : Notification.permission
  if (permission === 'granted') return { grade: 'ok', text: t('devices.notifications.granted'), help: t('devices.notifications.granted.help') }
  return { grade: 'warn', text: t(`devices.notifications.${permission}`), help: t(`devices.notifications.${permission}.help`) }
}
