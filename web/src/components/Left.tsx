import type { QueueView, SessionView } from '../generated/wire'
import { t, translated } from '../i18n'
import { clockTime, spell, useTime } from '../services/clock'
import { ended, isPending, serving, shownSession } from '../state/select'
import { inFlow } from '../state/service'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { Icon, type IconName } from './Icon'

/** What is waiting, what is open, what is done (F2). */
export function Left({ state, desk }: { state: State; desk: Desk }) {
  const station = useStation()
  const open = serving(desk)
  const done = ended(desk)
  const shown = shownSession(state, desk)
  const offer = desk.offer
  return (
    <aside class="zone" aria-label={t('left.label')}>
      <div class="scroll left">
        <h2 class="sec">{t('left.queues')}</h2>
        {desk.queues.length === 0 ? <p class="t2 faint left__none">{t('left.queues.none')}</p> : null}
        {desk.queues.map(queue => (
          <Queue key={queue.group} queue={queue} offset={state.clockOffset} />
        ))}
        <h2 class="sec">
          <span>
            {t('left.serving')} <span class="num">({open.length + (offer ? 1 : 0)})</span>
          </span>
        </h2>
        {offer ? (
          <div class="row" aria-current="true" data-live data-st="line">
            <span class="row__in">
              <span class="av av--icon">
                <Icon name="ain" />
              </span>
              <span class="name cut num">{offer.callerName || offer.caller}</span>
              <Age since={offer.ringsSince} offset={state.clockOffset} />
              <span class="sub cut">
                {t('left.ringing')} · {offer.group}
              </span>
            </span>
          </div>
        ) : null}
        {open.map(session => (
          <Live key={session.call} session={session} state={state} desk={desk} selected={!offer && shown === session} />
        ))}
        {open.length === 0 && !offer ? <p class="t2 faint left__none">{t('left.serving.none')}</p> : null}
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
              onClick={() => void station.completeAll()}
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
                <Icon name={session.callType === 'outbound' ? 'aout' : 'ain'} />
              </span>
              <span class="name cut num">{session.callerName || session.caller}</span>
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
  const icon: IconName = wrapUp ? 'note' : session.consult ? 'consult' : inFlow(session) ? 'flow' : session.held ? 'pause' : session.callType === 'outbound' ? 'aout' : 'ain'
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
        <span class="name cut num">{session.callerName || session.caller}</span>
        <Age since={wrapUp ? desk.agent.since : session.began} offset={state.clockOffset} />
        <span class="sub cut">
          {phaseWord(session)}
          {session.group ? ` · ${session.group}` : ''}
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
