import { useEffect, useState } from 'preact/hooks'
import type { CallType, CustomerView, RecordView } from '../generated/wire'
import { t, translated } from '../i18n'
import { spell } from '../services/clock'
import { isInternal, shownSession } from '../state/select'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { callIcon, Icon } from './Icon'
import { Button, initials, Refused } from './parts'
import { dayTime } from './time'

interface Caller {
  call: string
  caller: string
  callerName: string | null
  place: string | null
  called: string
  callType: CallType
  group: string | null
}

/** The customer's card, shown from the first ring on (README, "prepare before the answer"). */
export function Card({ state, desk }: { state: State; desk: Desk }) {
  const caller: Caller | null = desk.offer || shownSession(state, desk)
  if (caller && isInternal(caller)) return <Colleague caller={caller} />
  return caller ? <Known caller={caller} state={state} desk={desk} key={caller.call} /> : <Nobody />
}

/** No customer: who the other is. */
function Colleague({ caller }: { caller: Caller }) {
  const name = caller.callerName || caller.caller
  return (
    <div class="scroll side" data-test="colleague">
      <div class="customer">
        <span class="av av--l">{initials(name)}</span>
        <div class="v v--0">
          <b class="t4 semi cut">{name}</b>
          <span class="faint t2 num">{caller.caller}</span>
        </div>
      </div>
      <p class="t2 customer__remark">{t('customer.colleague')}</p>
    </div>
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

function Known({ caller, state, desk }: { caller: Caller; state: State; desk: Desk }) {
  const station = useStation()
  const [editing, setEditing] = useState(false)
  const known = desk.customers[caller.call] || null
  const open = state.link.is === 'open'
  useEffect(() => {
    // A new snapshot forgets the cards.
    if (known === null && open) void station.ask({ type: 'customer', call: caller.call })
  }, [caller.call, known === null, open])
  const name = known ? known.name : caller.callerName
  return (
    <div class="scroll side" data-test="customer">
      <div class="customer">
        <span class="av av--l">{name ? initials(name) : <Icon name="user" size="l" />}</span>
        <div class="v v--0">
          <b class="t4 semi cut" data-test="customer-name">
            {name || t('customer.unknown')}
          </b>
          <span class="faint t2 num">{caller.caller}</span>
        </div>
        {known && !known.withheld && !editing ? (
          <Button size="s" icon="note" test="edit-customer" onClick={() => setEditing(true)}>
            {t('customer.edit')}
          </Button>
        ) : null}
      </div>
      <Refused state={state} of={['saveCustomer']} />
      {editing && known ? (
        <Edit known={known} onDone={() => setEditing(false)} />
      ) : known && known.remark ? (
        <p class="t2 customer__remark" data-test="customer-remark">
          {known.remark}
        </p>
      ) : null}
      <dl class="kv t2">
        <dt>{t('customer.place')}</dt>
        <dd>{caller.place || '–'}</dd>
        <dt>{t(caller.callType === 'outbound' ? 'customer.shown' : 'customer.called')}</dt>
        <dd class="num">{caller.called}</dd>
        <dt>{t('customer.group')}</dt>
        <dd class="cut">{caller.group || '–'}</dd>
      </dl>
      <hr class="rule" />
      <h3 class="t2 faint med side__past">{t('customer.past')}</h3>
      {known ? <Past known={known} /> : <p class="t2 faint">{t('app.loading')}</p>}
    </div>
  )
}

/** Name and remark, kept by number for everybody. */
function Edit({ known, onDone }: { known: CustomerView; onDone(): void }) {
  const station = useStation()
  const [name, setName] = useState(known.name || '')
  const [remark, setRemark] = useState(known.remark)
  const [busy, setBusy] = useState(false)
  const save = () => {
    if (busy) return
    setBusy(true)
    void station.ask({ type: 'saveCustomer', call: known.call, name, remark }).then(outcome => {
      setBusy(false)
      if (outcome.is === 'done') onDone()
    })
  }
  return (
    <form
      class="customer__edit"
      onSubmit={event => {
        event.preventDefault()
        save()
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.isComposing) onDone()
      }}
    >
      <div class="field">
        <label for="customer-name">{t('customer.name')}</label>
        <input class="in" id="customer-name" data-test="customer-name-field" value={name} maxLength={64} autoComplete="off" onInput={event => setName(event.currentTarget.value)} />
      </div>
      <div class="field">
        <label for="customer-remark">{t('customer.remark')}</label>
        <textarea class="in" id="customer-remark" data-test="customer-remark-field" rows={3} value={remark} maxLength={2000} onInput={event => setRemark(event.currentTarget.value)} />
        <span class="hint">{t('customer.hint')}</span>
      </div>
      <div class="h">
        <button type="submit" class="btn btn--primary btn--s" data-test="save-customer" aria-busy={busy ? 'true' : undefined}>
          <span>{t('customer.save')}</span>
        </button>
        <Button size="s" onClick={onDone}>
          {t('customer.cancel')}
        </Button>
      </div>
    </form>
  )
}

function Past({ known }: { known: CustomerView }) {
  if (known.withheld) return <p class="t2 faint">{t('customer.withheld')}</p>
  if (known.past === null) return <p class="t2 faint">{t('customer.past.failed')}</p>
  if (known.past.length === 0) return <p class="t2 faint">{t('customer.past.none')}</p>
  return (
    <div>
      {known.past.map((record: RecordView) => (
        <div class="past" key={record.id} data-test="past-call">
          <span class="av av--icon">
            <Icon name={callIcon(record.callType)} size="s" />
          </span>
          <b class="med cut">{translated('status', record.status, record.status)}</b>
          <span class="t2 faint num">{dayTime(record.time)}</span>
          <p class="t2 dim">{record.remark || `${record.group || ''} ${spell(record.duration)}`.trim()}</p>
        </div>
      ))}
    </div>
  )
}
