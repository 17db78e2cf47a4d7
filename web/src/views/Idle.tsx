import { useEffect, useState } from 'preact/hooks'
import type { RecordView } from '../generated/wire'
import { t, translated } from '../i18n'
import { useStation } from '../components/context'
import { Button, Glyph, Key, looks, Refused } from '../components/parts'
import { api } from '../services/http'
import { clockTime, spell, useTime } from '../services/clock'
import { keyOf, useKeymap } from '../services/keys'
import { audioElsewhere, isPending, otherOf } from '../state/select'
import type { Desk, State } from '../state/state'

/** Between calls: what the agent's state means, the way to the next one, and the groups now. */
export function Idle({ state, desk }: { state: State; desk: Desk }) {
  useKeymap()
  const { agent } = desk
  const kind = agent.state === 'afterCallWork' ? 'inLine' : agent.state
  const rests = agent.restsUntil
  const resting = useTime(state.clockOffset, now => rests !== null && now < rests)
  return (
    <div class="sheet zone task scroll">
      <div class="idle-view">
        <div>
          <span class="state" data-st={looks[agent.state]}>
            <Glyph state={agent.state} />
            {resting ? t('idle.resting') : t(`idle.${kind}`)}
          </span>
          <Greeting desk={desk} offset={state.clockOffset} />
          {resting ? null : <p class="dim lead">{lead(state, desk)}</p>}
          {agent.state === 'onBreak' && agent.reason ? <p class="dim">{t('idle.reason', { reason: agent.reason })}</p> : null}
          {rests !== null && resting ? <Rests until={rests} reason={agent.reason} offset={state.clockOffset} /> : null}
          <Ways state={state} desk={desk} />
          <Refused state={state} of={['setState', 'completeService', 'completeAll', 'answer', 'hangUp', 'endWrapUp']} />
        </div>
        <Groups state={state} desk={desk} />
        <Recent desk={desk} />
        <p class="h h--4 faint t2 idle-view__keys">
          <span class="h h--1">
            <Key>{keyOf('dial') || '–'}</Key>
            {t('dial.open')}
          </span>
          <span class="h h--1">
            <Key>{keyOf('menu') || '–'}</Key>
            {t('idle.keys.state')}
          </span>
          <span class="h h--1">
            <Key>?</Key>
            {t('idle.keys.all')}
          </span>
        </p>
      </div>
    </div>
  )
}

function Greeting({ desk, offset }: { desk: Desk; offset: number }) {
  const hour = useTime(offset, now => new Date(now).getHours())
  const name = desk.me.nickname || desk.me.name
  return <h1 class="t6">{t(hour < 12 ? 'idle.morning' : hour < 18 ? 'idle.afternoon' : 'idle.evening', { name })}</h1>
}

function lead(state: State, desk: Desk): string {
  const { device } = desk.agent
  switch (desk.agent.state) {
    case 'available':
      if (device !== 'browser') return t(`idle.available.${device}`)
      if (audioElsewhere(state)) return t('idle.available.elsewhere')
      return desk.peer === 'up' ? t('idle.available.lead') : t('idle.available.path')
    case 'busy':
      return desk.agent.reason ? `${reasonWord(desk.agent.reason)} ${t('idle.busy.lead')}` : t('idle.busy.lead')
    case 'onBreak':
      return t('idle.onBreak.lead')
    case 'inLine':
    case 'afterCallWork':
      return t('idle.inLine.lead')
    case 'offline':
      if (device !== 'browser') return t(`idle.offline.${device}`)
      return state.goingOnline === 'failed' ? t('idle.path.failed') : t('idle.offline.lead')
  }
}

/** Why the switch sends no calls, in words (B4). */
function reasonWord(reason: string | null): string {
  return reason ? translated('reason', reason, reason) : ''
}

function Rests({ until, reason, offset }: { until: number; reason: string | null; offset: number }) {
  const left = useTime(offset, now => Math.max(0, Math.ceil((until - now) / 1000)))
  return (
    <p class="notice notice--warn rests" data-test="rests">
      <span>{reasonWord(reason)}</span>
      <span class="num">{t('idle.rests', { time: spell(left * 1000) })}</span>
    </p>
  )
}

function Ways({ state, desk }: { state: State; desk: Desk }) {
  const station = useStation()
  const going = state.goingOnline === 'microphone'
  const busy = going || isPending(state, 'setState')
  if (desk.agent.state === 'offline') {
    return (
      <div class="ways">
        <Button kind="primary" size="l" icon="headset" test="go-online" busy={busy} disabled={state.link.is !== 'open'} onClick={() => void station.choose('available')}>
          {going ? (state.microphone === 'ready' ? t('idle.path') : t('idle.microphone')) : t('idle.goOnline')}
        </Button>
      </div>
    )
  }
  if (desk.agent.state === 'busy' || desk.agent.state === 'onBreak') {
    return (
      <div class="ways">
        <Button kind="primary" icon="headset" test="become-available" busy={busy} disabled={state.link.is !== 'open'} onClick={() => void station.choose('available')}>
          {t('idle.becomeAvailable')}
        </Button>
      </div>
    )
  }
  return null
}

function Groups({ state, desk }: { state: State; desk: Desk }) {
  const nobody = desk.queues.every(queue => queue.waiting === 0)
  if (desk.queues.length === 0) return null
  return (
    <section>
      <div class="split">
        <h2 class="t4">{t('idle.groups')}</h2>
        {nobody ? <span class="faint t2">{t('idle.groups.none')}</span> : null}
      </div>
      <div class="qcard cap">
        <span>{t('idle.groups.group')}</span>
        <span>{t('idle.groups.waiting')}</span>
        <span>{t('idle.groups.longest')}</span>
      </div>
      {desk.queues.map(queue => (
        <div class="qcard" key={queue.group}>
          <b class="med cut">{queue.name}</b>
          {queue.waiting ? <b class="num med">{queue.waiting}</b> : <span class="num dim">0</span>}
          {queue.oldest === null ? <span class="faint">–</span> : <Wait since={queue.oldest} offset={state.clockOffset} />}
        </div>
      ))}
    </section>
  )
}

function Wait({ since, offset }: { since: number; offset: number }) {
  const text = useTime(offset, now => spell(now - since))
  const hot = useTime(offset, now => now - since >= 60_000)
  return <span class={hot ? 'num semi hot' : 'num'}>{text}</span>
}

/** The last records; read anew when a session has ended. */
function Recent({ desk }: { desk: Desk }) {
  const [items, setItems] = useState<RecordView[] | null>(null)
  const over = desk.sessions.filter(session => session.phase === 'ended').length
  useEffect(() => {
    let current = true
    api.records({ page: 0 }).then(
      page => {
        if (current) setItems(page.items.slice(0, 4))
      },
      () => undefined,
    )
    return () => {
      current = false
    }
  }, [over])
  return (
    <section class="recent">
      <div class="split">
        <h2 class="t4">{t('idle.recent')}</h2>
        <a class="t2" href="#/records">
          {t('idle.recent.all')}
        </a>
      </div>
      {items === null ? <div class="recent__hold" /> : null}
      {items && items.length === 0 ? <p class="faint recent__none">{t('idle.recent.none')}</p> : null}
      {items
        ? items.map(record => (
            <div class="recent__row" key={record.id}>
              <span class="num faint">{clockTime(record.time)}</span>
              <span class="num cut med">{otherOf(record, desk.me.number)}</span>
              <span class="cut dim">{translated('status', record.status, record.status)}</span>
              <span class="num dim">{spell(record.duration)}</span>
            </div>
          ))
        : null}
    </section>
  )
}
