import { useEffect, useState } from 'preact/hooks'
import type { CallType, QueueView, SessionView } from '../generated/wire'
import { t, translated } from '../i18n'
import { clockTime, spell, useTime } from '../services/clock'
import { ended, isInternal, isPending, liveSession, serving, shownSession } from '../state/select'
import { inFlow } from '../state/service'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { callIcon, Icon, type IconName } from './Icon'

type Kind = 'external' | 'internal'
const kinds: Kind[] = ['external', 'internal']

function kindOf(call: { callType: CallType }): Kind {
  return isInternal(call) ? 'internal' : 'external'
}

/** What is waiting, what is open, what is done: with customers, or among colleagues (F2). */
export function Left({ state, desk }: { state: State; desk: Desk }) {
  const station = useStation()
  const shown = shownSession(state, desk)
  const current = desk.offer || liveSession(desk)
  const [kind, setKind] = useState<Kind>('external')
  useEffect(() => {
    // What rings or goes on is in sight.
    if (current) setKind(kindOf(current))
  }, [current && current.call])
  const mine = (call: { callType: CallType }) => kindOf(call) === kind
  const open = serving(desk).filter(mine)
  const done = ended(desk).filter(mine)
  const offer = desk.offer && mine(desk.offer) ? desk.offer : null
  const count = (of: Kind) => serving(desk).filter(session => kindOf(session) === of).length + (desk.offer && kindOf(desk.offer) === of ? 1 : 0)
  return (
    <aside class="zone" aria-label={t('left.label')}>
      <div class="scroll left">
        <h2 class="sec">{t('left.queues')}</h2>
        {desk.queues.length === 0 ? <p class="t2 faint left__none">{t('left.queues.none')}</p> : null}
        {desk.queues.map(queue => (
          <Queue key={queue.group} queue={queue} offset={state.clockOffset} />
        ))}
        <div class="seg seg--s seg--block left__kinds" role="group" aria-label={t('left.kinds')}>
          {kinds.map(each => (
            <button type="button" key={each} data-test={`left-${each}`} aria-pressed={each === kind ? 'true' : 'false'} onClick={() => setKind(each)}>
              {t(`left.${each}`)}
              {count(each) > 0 ? <span class="num"> {count(each)}</span> : null}
            </button>
          ))}
        </div>
        <h2 class="sec">
          <span>
            {t('left.serving')} <span class="num">({open.length + (offer ? 1 : 0)})</span>
          </span>
        </h2>
        {offer ? (
          <div class="row" aria-current="true" data-live data-st="line">
            <span class="row__in">
              <span class="av av--icon">
                <Icon name={callIcon(offer.callType)} />
              </span>
              <span class="name cut num">{offer.callerName || offer.caller}</span>
              <Age since={offer.ringsSince} offset={state.clockOffset} />
              <span class="sub cut">
                {kind === 'internal' ? t('left.ringing') : `${t('left.ringing')} · ${offer.group}`}
              </span>
            </span>
          </div>
        ) : null}
        {open.map(session => (
          <Live key={session.call} session={session} state={state} desk={desk} selected={!offer && shown === session} />
        ))}
        {open.length === 0 && !offer ? <p class="t2 faint left__none">{t(kind === 'internal' ? 'left.internal.none' : 'left.serving.none')}</p> : null}
        <div class="sec">
          <h2>
            {t('left.ended')} <span class="num">({done.length})</span>
          </h2>
          {done.length > 0 ? (
            <button
              type="button"
              class="btn btn--quiet btn--s"
              data-test="complete-all"
              aria-busy={isPending(state, 'completeAll') ? 'true' : undefined}
              onClick={() => void station.completeAll(kind === 'internal')}
            >
              {t('left.completeAll')}
            </button>
          ) : null}
        </div>
        {done.length === 0 ? <p class="t2 faint left__none">{t('left.ended.none')}</p> : null}
        {done.map(session => (
          <button
            type="button"
            class="row"
            key={session.call}
            data-test="ended-session"
            data-call={session.call}
            aria-current={shown === session ? 'true' : undefined}
            onClick={() => station.select(session.call)}
          >
            <span class="row__in">
              <span class="av av--icon">
                <Icon name={callIcon(session.callType)} />
              </span>
              <span class="name cut num" title={session.callerName || session.caller}>
                {session.callerName || session.caller}
              </span>
              <span class="time num">{clockTime(session.ended || session.began)}</span>
              <span class="sub cut num">
                {translated('status', session.outcome || '', t('session.ended'))} · {spell((session.ended || session.began) - session.began)}
              </span>
            </span>
          </button>
        ))}
      </div>
    </aside>
  )
}

function Queue({ queue, offset }: { queue: QueueView; offset: number }) {
  const oldest = queue.oldest
  const wait = useTime(offset, now => (oldest === null ? '' : spell(now - oldest)))
  const hot = useTime(offset, now => oldest !== null && now - oldest >= 60_000)
  const label = queue.waiting > 0 ? t('left.queue', { group: queue.name, count: queue.waiting, time: wait }) : t('left.queue.none', { group: queue.name })
  return (
    <div class={hot ? 'queue queue--hot' : 'queue'} data-test="queue" data-waiting={queue.waiting} title={label}>
      <span class={queue.waiting ? 'cut' : 'cut dim'}>{queue.name}</span>
      {queue.waiting ? <b class="num med">{queue.waiting}</b> : <span class="num faint">0</span>}
      <span class="num">{wait || '–'}</span>
    </div>
  )
}

export function Age({ since, offset }: { since: number; offset: number }) {
  return <span class="time num">{useTime(offset, now => spell(now - since))}</span>
}

function Live({ session, state, desk, selected }: { session: SessionView; state: State; desk: Desk; selected: boolean }) {
  const station = useStation()
  const wrapUp = session.phase === 'ended'
  const icon: IconName = wrapUp ? 'note' : session.consult ? 'consult' : inFlow(session) ? 'flow' : session.held ? 'pause' : callIcon(session.callType)
  const name = session.callerName || session.caller
  const sub = session.group && !isInternal(session) ? `${phaseWord(session)} · ${session.group}` : phaseWord(session)
  return (
    <button
      type="button"
      class="row"
      data-live
      data-st={wrapUp ? 'acw' : 'line'}
      aria-current={selected ? 'true' : undefined}
      onClick={() => station.select(null)}
    >
      <span class="row__in">
        <span class="av av--icon">
          <Icon name={icon} />
        </span>
        <span class="name cut num" title={name}>
          {name}
        </span>
        <Age since={wrapUp ? desk.agent.since : session.began} offset={state.clockOffset} />
        <span class="sub cut" title={sub}>
          {sub}
        </span>
      </span>
    </button>
  )
}

export function phaseWord(session: SessionView): string {
  if (session.phase === 'ended') return t('session.wrapUp')
  if (inFlow(session)) return t('session.service')
  if (session.phase === 'talking' && session.held) return t('session.held')
  if (session.phase === 'talking' && session.consult) {
    const { whom, customerLeft } = session.consult
    return customerLeft ? t('session.aside', { whom }) : session.guest ? t('session.guest', { whom }) : t('session.consulting', { whom })
  }
  return t(`session.${session.phase}`)
}
