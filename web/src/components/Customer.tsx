import { useEffect, useState } from 'preact/hooks'
import type { CallType, RecordView } from '../generated/wire'
import { t, translated } from '../i18n'
import { api } from '../services/http'
import { spell } from '../services/clock'
import { customerOf, shownSession } from '../state/select'
import type { Desk, State } from '../state/state'
import { Icon } from './Icon'
import { initials } from './parts'
import { dayTime } from './time'

interface Card {
  call: string
  caller: string
  callerName: string | null
  place: string | null
  called: string
  /** Absent of an offer: that is always inbound. */
  callType?: CallType
  group: string | null
}

/** The customer's card, shown from the first ring on (README, "prepare before the answer"). */
export function Customer({ state, desk }: { state: State; desk: Desk }) {
  const card: Card | null = desk.offer || shownSession(state, desk)
  return (
    <aside class="sheet zone" aria-label={t('customer.label')}>
      <h2 class="zone__head">{t('customer.label')}</h2>
      {card ? <Known card={card} key={card.call} /> : <Nobody />}
    </aside>
  )
}

function Nobody() {
  return (
    <div class="empty empty--fill">
      <svg class="art" viewBox="0 0 96 64" aria-hidden="true">
        <rect x="18" y="8" width="60" height="48" rx="8" />
        <circle cx="36" cy="26" r="7" />
        <path d="M26 46c1-7 5-10 10-10s9 3 10 10M56 22h14M56 32h14M56 42h8" />
      </svg>
      <h3>{t('customer.none')}</h3>
      <p>{t('customer.none.lead')}</p>
    </div>
  )
}

function Known({ card }: { card: Card }) {
  const past = usePast(card)
  return (
    <div class="scroll side">
      <div class="h h--3">
        <span class="av av--l">{card.callerName ? initials(card.callerName) : <Icon name="user" size="l" />}</span>
        <div class="v v--0">
          <b class="t4 semi cut">{card.callerName || t('customer.unknown')}</b>
          <span class="faint t2 num">{card.caller}</span>
        </div>
      </div>
      <dl class="kv t2">
        <dt>{t('customer.place')}</dt>
        <dd>{card.place || '–'}</dd>
        <dt>{t(card.callType === 'outbound' ? 'customer.shown' : 'customer.called')}</dt>
        <dd class="num">{card.called}</dd>
        <dt>{t('customer.group')}</dt>
        <dd class="cut">{card.group || '–'}</dd>
      </dl>
      <hr class="rule" />
      <h3 class="t2 faint med side__past">{t('customer.past')}</h3>
      {past === 'failed' ? <p class="t2 faint">{t('customer.past.failed')}</p> : null}
      {past !== 'failed' && past && past.length === 0 ? <p class="t2 faint">{t('customer.past.none')}</p> : null}
      {past !== 'failed' && past
        ? past.map(record => (
            <div class="past" key={record.id}>
              <span class="av av--icon">
                <Icon name={record.callType === 'outbound' ? 'aout' : 'ain'} size="s" />
              </span>
              <div class="v v--0">
                <b class="med cut">{translated('status', record.status, record.status)}</b>
                <p class="t2 dim">{record.remark || `${record.group || ''} ${spell(record.duration)}`.trim()}</p>
              </div>
              <span class="t2 faint num">{dayTime(record.time)}</span>
            </div>
          ))
        : null}
    </div>
  )
}

/** The agent's own records whose masked number is this one. */
function usePast(card: Card): RecordView[] | 'failed' | null {
  const [past, setPast] = useState<RecordView[] | 'failed' | null>(null)
  useEffect(() => {
    let current = true
    api.records({ page: 0 }).then(
      page => {
        if (current) setPast(page.items.filter(record => customerOf(record) === card.caller && record.call !== card.call).slice(0, 8))
      },
      () => {
        if (current) setPast('failed')
      },
    )
    return () => {
      current = false
    }
  }, [card.call])
  return past
}
