import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { AgentState, AgentView, ChosenState, Device } from '../generated/wire'
import { t } from '../i18n'
import { api } from '../services/http'
import { spell, useTime } from '../services/clock'
import { crmCall, crmOrigin, fillUrl, placesOf } from '../state/crm'
import { bars, peerState, shownSession } from '../state/select'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { OutboundCall } from './DialPad'
import { failureText } from './failure'
import { Icon, Mark } from './Icon'
import { Bars, Glyph, Button, looks, Portrait } from './parts'
import { StateMenu } from './StateMenu'

export type Page = 'workstation' | 'records' | 'management' | 'device-check'

export function TopBar({ state, desk, page }: { state: State; desk: Desk; page: Page }) {
  return (
    <header class="bar">
      <a class="brand" href="#/">
        <Mark />
        {t('app.name')}
      </a>
      <OutboundCall state={state} desk={desk} />
      <nav class="nav" aria-label={t('nav.main')}>
        <a href="#/" aria-current={page === 'workstation' ? 'page' : undefined}>
          {t('nav.workstation')}
        </a>
        <a href="#/records" data-test="records-link" aria-current={page === 'records' ? 'page' : undefined}>
          {t('nav.records')}
        </a>
        {desk.me.role === 'agent' ? null : (
          <a href="#/management" data-test="management-link" aria-current={page === 'management' ? 'page' : undefined}>
            {t('management.title')}
          </a>
        )}
        <CrmLink state={state} desk={desk} />
      </nav>
      {desk.settings.demo ? <TestCall /> : null}
      <span class="grow" />
      <Signal state={state} device={desk.agent.device} />
      <StateButton state={state} desk={desk} />
    </header>
  )
}

/** The CRM's page about the call, in a tab of its own. */
function CrmLink({ state, desk }: { state: State; desk: Desk }) {
  const template = desk.settings.crmUrl
  if (template === null || crmOrigin(template, location.origin) === null) return null
  const about = desk.offer || shownSession(state, desk)
  const url = fillUrl(template, placesOf(about ? crmCall(about, desk) : null, desk.me.number))
  return (
    <a href={url} target="_blank" rel="noopener noreferrer" data-test="crm-link">
      {t('crm.label')}
    </a>
  )
}

/** Demo floor only: a simulated customer dials in. */
function TestCall() {
  const station = useStation()
  const [busy, setBusy] = useState(false)
  const place = () => {
    setBusy(true)
    api.placeTestCall().then(
      () => {
        setBusy(false)
        station.toast(t('nav.demo.done'))
      },
      (error: unknown) => {
        setBusy(false)
        station.toast(failureText(error))
      },
    )
  }
  return (
    <Button test="demo-call" icon="phone" busy={busy} onClick={place}>
      {t('nav.demo')}
    </Button>
  )
}

function Signal({ state, device }: { state: State; device: Device }) {
  const open = state.link.is === 'open'
  const peer = peerState(state)
  const trip = state.roundTrip === null ? null : Math.max(1, Math.round(state.roundTrip))
  const audio = t(device === 'browser' ? `nav.audio.${peer}` : `nav.${device}`)
  const title = open ? (trip === null ? audio : `${t('nav.signal', { ms: trip })}. ${audio}`) : t('nav.signal.none')
  return (
    <span class="net num" data-test="peer" data-state={peer} title={title}>
      {open ? <Bars n={trip === null ? 4 : bars(trip)} /> : <Icon name="netoff" size="s" />}
      <span class="sr">{title}</span>
      <span class="net__ms" aria-hidden="true">
        {open ? (trip === null ? '' : t('nav.ms', { ms: trip })) : t('nav.offline')}
      </span>
    </span>
  )
}

/** The word for a state: a break is called by its reason. */
export function stateWord(agent: AgentView): string {
  return agent.state === 'onBreak' && agent.reason ? agent.reason : t(`state.${agent.state}`)
}

function StateButton({ state, desk }: { state: State; desk: Desk }) {
  const station = useStation()
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLSpanElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const agent = desk.agent
  useEffect(() => {
    const onMenu = () => setOpen(is => !is)
    window.addEventListener('cordboard:menu', onMenu)
    return () => window.removeEventListener('cordboard:menu', onMenu)
  }, [])
  // At once: whoever opens it by a key may close it by the next.
  useLayoutEffect(() => {
    if (!open) return
    const onDown = (event: MouseEvent) => {
      if (box.current && event.target instanceof Node && !box.current.contains(event.target)) setOpen(false)
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      setOpen(false)
      if (button.current) button.current.focus()
    }
    document.addEventListener('mousedown', onDown)
    document.addEventListener('keydown', onKey)
    return () => {
      document.removeEventListener('mousedown', onDown)
      document.removeEventListener('keydown', onKey)
    }
  }, [open])
  const choose = (to: ChosenState, reason: string | null) => {
    setOpen(false)
    void station.choose(to, reason)
  }
  return (
    <span class="statebox" ref={box}>
      <button
        type="button"
        class="statebtn"
        ref={button}
        data-test="state-menu"
        data-st={looks[agent.state]}
        aria-haspopup="dialog"
        aria-expanded={open ? 'true' : 'false'}
        onClick={() => setOpen(!open)}
      >
        <Avatar desk={desk} offset={state.clockOffset} />
        <span class="state" data-test="agent-state" data-state={agent.state}>
          <span>{stateWord(agent)}</span>
        </span>
        <Since agent={agent} offset={state.clockOffset} />
        {agent.then ? <Then state={agent.then} /> : null}
        <span class="sr">{t('menu.label')}</span>
        <Icon name="down" size="s" />
      </button>
      {open ? <StateMenu desk={desk} offset={state.clockOffset} choose={choose} close={() => setOpen(false)} /> : null}
    </span>
  )
}

function Then({ state }: { state: AgentState }) {
  return (
    <span class="badge then" data-st={looks[state]}>
      <Glyph state={state} />
      {t('state.then', { state: t(`state.${state}`) })}
    </span>
  )
}

export function Since({ agent, offset }: { agent: AgentView; offset: number }) {
  const text = useTime(offset, now => spell(now - agent.since))
  return <span class="time num">{text}</span>
}

/** The ring around the avatar is the state's colour; in after-call work it empties. */
function Avatar({ desk, offset }: { desk: Desk; offset: number }) {
  const { agent, me } = desk
  const left = useTime(offset, now =>
    agent.state === 'afterCallWork' && agent.wrapUpEnds !== null && agent.wrapUpTotal
      ? Math.round(Math.max(0, Math.min(1, (agent.wrapUpEnds - now) / agent.wrapUpTotal)) * 60) / 60
      : 1,
  )
  return (
    <span class="av av--state" data-st={looks[agent.state]}>
      <svg class="av__ring" viewBox="0 0 34 34" aria-hidden="true">
        <circle cx="17" cy="17" r="16" />
        <circle class="av__left" cx="17" cy="17" r="16" stroke-dashoffset={100.6 * (1 - left)} />
      </svg>
      <Portrait me={me} />
      <Glyph state={agent.state} />
    </span>
  )
}
