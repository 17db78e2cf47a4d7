import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'
import type { State } from '../state/state'
import { Icon } from './Icon'
import { Button, Key } from './parts'

/** What has happened elsewhere, bottom right, six seconds. */
export function Toast({ state, close }: { state: State; close(id: number): void }) {
  const toast = state.toast
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toast ? (
        <div class="toast" key={toast.id} data-test="toast">
          <Icon name="info" />
          <span>{toast.text}</span>
          <button type="button" class="btn btn--quiet btn--icon btn--s" aria-label={t('toast.close')} onClick={() => close(toast.id)}>
            <Icon name="x" size="s" />
          </button>
        </div>
      ) : null}
    </div>
  )
}

/** All shortcuts; `?` opens it, Escape closes it. It never covers the call controls: it stands at the right. */
export function Shortcuts() {
  const [open, setOpen] = useState(false)
  const before = useRef<Element | null>(null)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const show = () => {
      before.current = document.activeElement
      setOpen(true)
    }
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
      if (event.key === '?' && !typing && !event.altKey && !event.ctrlKey) show()
      if (event.key === 'Escape') setOpen(false)
    }
    window.addEventListener('cordboard:shortcuts', show)
    document.addEventListener('keydown', onKey)
    return () => {
      window.removeEventListener('cordboard:shortcuts', show)
      document.removeEventListener('keydown', onKey)
    }
  }, [])
  useEffect(() => {
    if (open && box.current) box.current.focus()
    if (!open && before.current instanceof HTMLElement) {
      before.current.focus()
      before.current = null
    }
  }, [open])
  if (!open) return null
  const rows: [string, string][] = [
    ['A', t('offer.answer')],
    ['X', t('offer.decline')],
    ['P', t('shortcuts.holdResume')],
    ['M', t('shortcuts.muteUnmute')],
    ['G', t('shortcuts.transfer')],
    ['C', t('call.consult')],
    ['N', t('consult.swap')],
    ['U', t('consult.conference')],
    ['R', t('consult.end')],
    ['K', t('keypad.title')],
    ['Q', t('call.hangUp')],
    ['W', t('wrapUp.end')],
    ['L', t('wrapUp.continue')],
    ['Y', t('ended.complete')],
    ['O', t('dial.open')],
    ['Z', t('shortcuts.menu')],
    ['↑ ↓', t('shortcuts.select')],
  ]
  return (
    <div class="pop shortcuts" role="dialog" aria-label={t('shortcuts.title')} tabIndex={-1} ref={box} data-test="shortcuts">
      <div class="split">
        <h2 class="t4">{t('shortcuts.title')}</h2>
        <Button kind="quiet" size="s" onClick={() => setOpen(false)}>
          {t('shortcuts.close')}
        </Button>
      </div>
      <p class="t2 dim">{t('shortcuts.lead')}</p>
      <dl class="kv">
        {rows.map(([key, what]) => [
          <dt key={key}>
            <Key>Alt {key}</Key>
          </dt>,
          <dd key={`${key}.`}>{what}</dd>,
        ])}
      </dl>
    </div>
  )
}
