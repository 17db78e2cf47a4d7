import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Ask } from '../generated/wire'
import { t, translated, type Key } from '../i18n'
import { clockTime } from '../services/clock'
import { dialRefused, isPending } from '../state/select'
import type { Desk, State } from '../state/state'
import { useStation } from './context'
import { Colleagues } from './Colleagues'
import { callIcon, Icon } from './Icon'
import { Pad } from './Pad'
import { Button, refusalText } from './parts'

/** Sessions on the desk that can be called again. */
const RECENT = 6
/** Numbers with all their layout. */
const LONGEST = 64

/** The way out of the centre, first in the navigation (F1), with the pad that it opens (E1). */
export function OutboundCall({ state, desk }: { state: State; desk: Desk }) {
  const station = useStation()
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLSpanElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const refused = dialRefused(state, desk)
  const why = refused === null ? null : t(reasons[refused])
  const close = () => {
    setOpen(false)
    if (button.current) button.current.focus()
  }
  const toggle = () => {
    if (open) return close()
    if (why !== null) return station.toast(why)
    station.seen()
    setOpen(true)
  }
  useEffect(() => {
    window.addEventListener('cordboard:dial', toggle)
    return () => window.removeEventListener('cordboard:dial', toggle)
  })
  useEffect(() => {
    // A call that comes or goes needs the place.
    if (why !== null) setOpen(false)
  }, [why])
  useEffect(() => {
    if (!open) return
    const onDown = (event: MouseEvent) => {
      if (box.current && event.target instanceof Node && !box.current.contains(event.target)) setOpen(false)
    }
    document.addEventListener('mousedown', onDown)
    return () => document.removeEventListener('mousedown', onDown)
  }, [open])
  return (
    <span
      class="dialbox"
      ref={box}
      onKeyDown={event => {
        if (event.key === 'Escape' && open && !event.isComposing) close()
      }}
    >
      <button
        type="button"
        class="btn btn--primary"
        ref={button}
        data-test="outbound-call"
        title={why || undefined}
        aria-haspopup="dialog"
        aria-expanded={open ? 'true' : 'false'}
        aria-disabled={why === null ? undefined : 'true'}
        onClick={toggle}
      >
        <Icon name="out" />
        <span>{t('dial.open')}</span>
        {why === null ? null : <span class="sr">{why}</span>}
      </button>
      {open ? <DialPad state={state} desk={desk} close={close} /> : null}
    </span>
  )
}

const reasons: { [why in NonNullable<ReturnType<typeof dialRefused>>]: Key } = {
  away: 'dial.away',
  offline: 'dial.offline',
  inLine: 'dial.inLine',
}

type Side = 'number' | 'colleague'
const sides: Side[] = ['number', 'colleague']

/** A number or a colleague; the last choice stands while the page does. */
function DialPad({ state, desk, close }: { state: State; desk: Desk; close(): void }) {
  const [side, setSide] = useState<Side>(last)
  const station = useStation()
  const choose = (to: Side) => {
    last = to
    station.seen()
    setSide(to)
  }
  const recent = side === 'number' && desk.sessions.some(session => session.phase === 'ended')
  return (
    <div
      class={side === 'colleague' ? 'pop dialpad dialpad--colleague' : recent ? 'pop dialpad dialpad--recent' : 'pop dialpad'}
      role="dialog"
      aria-label={t('dial.open')}
      data-test="dial-pad"
    >
      <div class="dialpad__sides">
        <span class="seg seg--block" role="group" aria-label={t('dial.sides')}>
          {sides.map(each => (
            <button type="button" key={each} data-test={`dial-${each}-side`} aria-pressed={each === side ? 'true' : 'false'} onClick={() => choose(each)}>
              {t(`dial.side.${each}`)}
            </button>
          ))}
        </span>
      </div>
      {side === 'colleague' ? <Colleagues state={state} close={close} /> : <Numbers state={state} desk={desk} close={close} />}
    </div>
  )
}

let last: Side = 'number'

function Numbers({ state, desk, close }: { state: State; desk: Desk; close(): void }) {
  const station = useStation()
  const [number, setNumber] = useState('')
  const [shown, setShown] = useState('')
  const field = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    if (field.current) field.current.focus()
  }, [])
  const busy = isPending(state, 'dial', 'callBack')
  const refusal = state.refusal && (state.refusal.ask === 'dial' || state.refusal.ask === 'callBack') ? state.refusal : null
  const place = (ask: Ask) => {
    if (busy) return
    void station.ask(ask).then(outcome => {
      if (outcome.is === 'done') close()
    })
  }
  const dial = () => place({ type: 'dial', to: number, callerId: shown || null })
  /** The key goes where the caret is. */
  const press = (key: string) => {
    const input = field.current
    if (!input) return
    const from = input.selectionStart === null ? number.length : input.selectionStart
    const to = input.selectionEnd === null ? from : input.selectionEnd
    const text = number.slice(0, from) + key + number.slice(to)
    setNumber(text)
    input.value = text
    input.focus()
    input.setSelectionRange(from + 1, from + 1)
  }
  const recent = desk.sessions.filter(session => session.phase === 'ended').slice(0, RECENT)
  return (
    <>
      <form
        class="dialpad__form"
        onSubmit={event => {
          event.preventDefault()
          dial()
        }}
      >
        <div class={refusal ? 'field field--bad' : 'field'}>
          <span class="dialnum">
            <input
              class="num"
              ref={field}
              type="text"
              inputMode="tel"
              spellcheck={false}
              aria-label={t('dial.number')}
              placeholder={t('dial.number')}
              autoComplete="off"
              maxLength={LONGEST}
              data-test="dial-number"
              value={number}
              aria-invalid={refusal ? 'true' : undefined}
              aria-describedby={refusal ? 'dial-refused' : undefined}
              onInput={event => {
                setNumber(event.currentTarget.value)
                if (refusal) station.seen()
              }}
            />
            {number ? (
              <button
                type="button"
                class="btn btn--quiet btn--icon btn--s"
                aria-label={t('dial.clear')}
                onClick={() => {
                  setNumber('')
                  if (field.current) field.current.focus()
                }}
              >
                <Icon name="x" size="s" />
              </button>
            ) : null}
          </span>
          {refusal ? (
            <p class="err" id="dial-refused" role="alert" data-test="dial-refused" data-code={refusal.code}>
              <Icon name="alert" />
              <span>{refusalText(refusal)}</span>
            </p>
          ) : null}
        </div>
        <Pad press={press} plus />
        {desk.settings.callerIds.length > 0 ? (
          <div class="field">
            <label for="caller-id">{t('dial.shown')}</label>
            <span class="sel">
              <select class="in num" id="caller-id" data-test="caller-id" value={shown} onChange={event => setShown(event.currentTarget.value)}>
                <option value="">{t('dial.automatic')}</option>
                {desk.settings.callerIds.map(did => (
                  <option key={did} value={did}>
                    {did}
                  </option>
                ))}
              </select>
              <Icon name="down" />
            </span>
          </div>
        ) : null}
        <button class="btn btn--go btn--l btn--block" type="submit" data-test="dial" aria-busy={busy ? 'true' : undefined}>
          <Icon name="phone" />
          <span>{t('dial.call')}</span>
          <kbd>Enter</kbd>
        </button>
      </form>
      {recent.length > 0 ? (
        <div class="dialpad__recent">
          <h2 class="cap">{t('dial.recent')}</h2>
          {recent.map(session => {
            const name = session.callerName || session.caller
            return (
              <button type="button" class="row" key={session.call} data-test="dial-recent" title={t('dial.again', { name })} onClick={() => place({ type: 'callBack', call: session.call })}>
                <span class="row__in">
                  <span class="av av--icon">
                    <Icon name={callIcon(session.callType)} />
                  </span>
                  <span class="name cut num">{name}</span>
                  <span class="time num">{clockTime(session.ended || session.began)}</span>
                  <span class="sub cut">{translated('status', session.outcome || '', t('session.ended'))}</span>
                </span>
              </button>
            )
          })}
        </div>
      ) : null}
    </>
  )
}

/** *Call back this number* (D8), or *Call again* after a call that did not come about. */
export function CallBack({ state, desk, call, kind, children }: { state: State; desk: Desk; call: string; kind?: 'go' | undefined; children: string }) {
  const station = useStation()
  const refused = dialRefused(state, desk)
  return (
    <Button
      icon="phone"
      kind={kind}
      test="call-back"
      busy={isPending(state, 'callBack')}
      disabled={refused !== null}
      title={refused === null ? undefined : t(reasons[refused])}
      onClick={() => void station.ask({ type: 'callBack', call })}
    >
      {children}
    </Button>
  )
}
