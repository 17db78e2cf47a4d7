import { useEffect } from 'preact/hooks'
import type { SessionView } from '../generated/wire'
import { t } from '../i18n'
import { Banner } from '../components/Banners'
import { useStation } from '../components/context'
import { RightZone } from '../components/Crm'
import { Icon } from '../components/Icon'
import { Left, phaseWord } from '../components/Left'
import { Toast } from '../components/Overlays'
import { Shortcuts } from '../components/Shortcuts'
import { TopBar, type Page } from '../components/TopBar'
import { spell, useTime } from '../services/clock'
import { runCommand } from '../services/commands'
import { isTyping, keymap, startKeys } from '../services/keys'
import { liveSession, noMicrophone, task } from '../state/select'
import type { Desk as DeskState, State } from '../state/state'
import { commandOf } from '../state/keymap'
import { useStore, type Store } from '../state/store'
import { Call } from './Call'
import { DeviceCheck } from './DeviceCheck'
import { Ended } from './Ended'
import { Idle } from './Idle'
import { Management } from './Management'
import { NoMicrophone } from './NoMicrophone'
import { Records } from './Records'
import { AnswerBar, Ringing } from './Ringing'
import { TakenOver } from './TakenOver'
import { WrapUp } from './WrapUp'

const titles = { workstation: 'nav.workstation', records: 'nav.records', management: 'management.title', 'device-check': 'devices.title' } as const

/** The workstation and its records: the pages of somebody who is logged in. */
export function Desk({ store, page }: { store: Store; page: Page }) {
  const station = useStation()
  const state = useStore(store)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const command = commandOf(event, keymap(), isTyping(event.target))
      if (command === null) return
      if (command === 'menu' || command === 'dial') window.dispatchEvent(new Event(`cordboard:${command}`))
      else if (command === 'remark') focusRemark()
      else runCommand(command, store.get(), station)
      event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [store, station])
  const account = state.desk ? state.desk.me.email : null
  useEffect(() => {
    if (account !== null) startKeys(account)
  }, [account])
  const offer = state.desk ? state.desk.offer : null
  useEffect(() => {
    document.title = offer ? t('offer.title', { caller: offer.callerName || offer.caller }) : `${t(titles[page])} · ${t('app.name')}`
  })
  const live = state.desk ? liveSession(state.desk) : null
  const call = live ? live.call : null
  useEffect(() => {
    // The controls of a call that has just begun must be in sight.
    if (call !== null) location.hash = '#/'
  }, [call])
  if (state.link.is === 'takenOver') return <TakenOver onBack={() => station.takeBack()} />
  const desk = state.desk
  if (!desk) return <Waiting />
  return (
    <div class="app">
      <TopBar state={state} desk={desk} page={page} />
      <Banner state={state} desk={desk} />
      {page !== 'workstation' ? (
        <>
          {desk.offer ? (
            <div class="abovepage">
              <AnswerBar key={desk.offer.offer} state={state} offer={desk.offer} device={desk.agent.device} />
            </div>
          ) : null}
          {live ? <CallLine session={live} offset={state.clockOffset} /> : null}
          {page === 'records' ? <Records role={desk.me.role} /> : page === 'management' ? <Management role={desk.me.role} /> : <DeviceCheck />}
        </>
      ) : (
        <main class="desk">
          <Left state={state} desk={desk} />
          <Middle state={state} desk={desk} />
          <RightZone store={store} state={state} desk={desk} />
        </main>
      )}
      <Toast state={state} close={id => store.dispatch({ type: 'toastGone', id })} />
      <Shortcuts />
    </div>
  )
}

/** To the remark of what the middle shows. */
function focusRemark() {
  const field = document.getElementById('remark')
  if (field) field.focus()
}

function Middle({ state, desk }: { state: State; desk: DeskState }) {
  const now = task(state, desk)
  switch (now.is) {
    case 'ringing':
      return desk.offer ? <Ringing key={desk.offer.offer} state={state} offer={desk.offer} device={desk.agent.device} /> : null
    case 'microphone': {
      const why = noMicrophone(state)
      return why ? <NoMicrophone why={why} /> : null
    }
    case 'call':
      return <Call key={now.session.call} state={state} desk={desk} session={now.session} />
    case 'wrapUp':
      return <WrapUp state={state} desk={desk} session={now.session} />
    case 'ended':
      return <Ended key={now.session.call} state={state} desk={desk} session={now.session} />
    case 'idle':
      return <Idle state={state} desk={desk} />
  }
}

/** The call in progress, while the agent looks something up in the records. */
function CallLine({ session, offset }: { session: SessionView; offset: number }) {
  const time = useTime(offset, now => spell(now - session.began))
  return (
    <section aria-label={t('call.label')}>
      <a class="callline" href="#/" data-st="line">
        <Icon name="phone" />
        <span class="cut num">
          <b class="med">{session.callerName || session.caller}</b> · {phaseWord(session)}
        </span>
        <b class="num med">{time}</b>
      </a>
    </section>
  )
}

/** Before the first snapshot. */
export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="waiting__dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span class="dim">{t('app.loading')}</span>
    </div>
  )
}
