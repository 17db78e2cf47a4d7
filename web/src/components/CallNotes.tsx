import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { BlockFor, SessionView } from '../generated/wire'
import { t } from '../i18n'
import { dispositionOf } from '../state/notes'
import { isInternal, isPending } from '../state/select'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { Icon } from './Icon'
import { Button, Refused } from './parts'
import { Remark } from './Remark'

/** Longer reasons are refused by the switch. */
const LONGEST_REASON = 200
const spans: BlockFor[] = ['day', 'week', 'good']

/** What stays of a call: the remark, what it was about (D8), and whether its customer may call again (H6). */
export function CallNotes({ state, desk, session, rows }: { state: State; desk: Desk; session: SessionView; rows: number }) {
  const [blocking, setBlocking] = useState(false)
  const opener = useRef<HTMLSpanElement>(null)
  const close = () => {
    setBlocking(false)
    const button = opener.current && opener.current.querySelector('button')
    if (button) button.focus()
  }
  const known = desk.customers[session.call]
  const nobody = isInternal(session) || (known !== undefined && known.withheld)
  const blocked = state.blocked[session.call]
  const dispositions = choices(state, desk, session)
  return (
    <div class="callnotes">
      <Remark state={state} session={session} rows={blocking ? Math.min(rows, 3) : rows} />
      {nobody && dispositions.length === 0 ? null : (
        <div class="callnotes__row">
          {dispositions.length === 0 ? <span /> : <Disposition state={state} session={session} all={dispositions} />}
          {nobody ? null : blocked ? (
            <span class="callnotes__done t2" data-test="blocked" role="status">
              <Icon name="check" size="s" />
              {t(`block.done.${blocked}`)}
            </span>
          ) : (
            <span ref={opener}>
              <Button kind="quiet" size="s" test="block" title={t('block.lead')} expanded={blocking} onClick={() => setBlocking(!blocking)}>
                {t('block.open')}
              </Button>
            </span>
          )}
        </div>
      )}
      {blocking && !blocked && !nobody ? <BlockForm state={state} session={session} close={close} /> : null}
      <Refused state={state} of={['disposition', 'block']} />
    </div>
  )
}

/** The admin's list; one that was taken out of it stays with the calls that have it. Calls between colleagues get none. */
function choices(state: State, desk: Desk, session: SessionView): string[] {
  const chosen = dispositionOf(state, session)
  if (isInternal(session) && !chosen) return []
  const { dispositions } = desk.settings
  return chosen && dispositions.indexOf(chosen) < 0 ? dispositions.concat(chosen) : dispositions
}

function Disposition({ state, session, all }: { state: State; session: SessionView; all: string[] }) {
  const station = useStation()
  const chosen = dispositionOf(state, session)
  return (
    <label class="callnotes__disposition">
      <span class="t2 dim">{t('disposition.label')}</span>
      <span class="sel">
        <select class={chosen ? 'in in--set' : 'in'} data-test="disposition" value={chosen} onChange={event => station.dispose(session.call, event.currentTarget.value)}>
          <option value="">{t('disposition.none')}</option>
          {all.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </span>
    </label>
  )
}

/** For how long, why, and the second click. */
function BlockForm({ state, session, close }: { state: State; session: SessionView; close(): void }) {
  const station = useStation()
  const [keep, setKeep] = useState<BlockFor>('day')
  const [reason, setReason] = useState('')
  const form = useRef<HTMLFormElement>(null)
  const busy = isPending(state, 'block')
  useLayoutEffect(() => {
    const first = form.current && form.current.querySelector('button')
    if (first) first.focus()
  }, [])
  return (
    <form
      class="blockform"
      data-test="block-form"
      ref={form}
      onSubmit={event => {
        event.preventDefault()
        if (!busy) void station.ask({ type: 'block', call: session.call, keep, note: reason }).then(({ is }) => is === 'done' && close())
      }}
      onKeyDown={event => {
        if (event.key !== 'Escape' || event.isComposing) return
        event.stopPropagation()
        close()
      }}
    >
      <p class="t2 dim">{t('block.lead')}</p>
      <div class="blockform__fields">
        <div class="seg" role="group" aria-label={t('block.keep')}>
          {spans.map(span => (
            <button type="button" key={span} data-test={`block-${span}`} aria-pressed={keep === span ? 'true' : 'false'} onClick={() => setKeep(span)}>
              {t(`block.keep.${span}`)}
            </button>
          ))}
        </div>
        <label class="grow">
          <span class="sr">{t('block.reason')}</span>
          <input class="in" data-test="block-reason" maxLength={LONGEST_REASON} placeholder={t('block.reason')} value={reason} onInput={event => setReason(event.currentTarget.value)} />
        </label>
      </div>
      <div class="h">
        <button type="submit" class="btn btn--stop btn--s" data-test="block-confirm" aria-busy={busy ? 'true' : undefined}>
          <span>{t('block.confirm', { number: session.caller })}</span>
        </button>
        <Button size="s" onClick={close}>
          {t('block.cancel')}
        </Button>
      </div>
    </form>
  )
}
