import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { SessionView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Pad } from '../components/Pad'
import { Button, Refused } from '../components/parts'
import { isPending } from '../state/select'
import type { State } from '../state/state'

/** As many as the switch takes at a time. */
const LONGEST = 64

/** Keys for an extension or a menu at the far side (D7): each is sent at once, or a text with pauses whole. */
export function Keypad({ state, session, sent, usable }: { state: State; session: SessionView; sent: string; usable: boolean }) {
  const station = useStation()
  const [text, setText] = useState('')
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    if (panel.current) panel.current.focus()
  }, [])
  const send = (digits: string) => {
    if (usable && digits) return station.ask({ type: 'digits', call: session.call, digits })
    return Promise.resolve(null)
  }
  const sendText = () => {
    const digits = text.replace(/[\s.()-]/g, '').toUpperCase()
    void send(digits).then(outcome => {
      if (outcome && outcome.is === 'done') setText('')
    })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing || event.target instanceof HTMLInputElement) return
    if (!/^[0-9*#]$/.test(event.key)) return
    void send(event.key)
    event.preventDefault()
  }
  return (
    <section class="panel keypad" aria-label={t('keypad.title')} data-test="keypad" tabIndex={-1} ref={panel} onKeyDown={onKey}>
      <Pad press={key => void send(key)} disabled={!usable} />
      <div class="v v--4">
        <div class="v v--0">
          <span class="cap" id="keypad-sent">
            {t('keypad.sent')}
          </span>
          <output class="keypad__sent num" aria-labelledby="keypad-sent" aria-live="polite" data-test="keypad-sent">
            {sent || <span class="faint">–</span>}
          </output>
        </div>
        <form
          class="field"
          onSubmit={event => {
            event.preventDefault()
            sendText()
          }}
        >
          <label for="keypad-text">{t('keypad.text')}</label>
          <span class="keypad__text">
            <input
              class="in num"
              id="keypad-text"
              type="text"
              inputMode="tel"
              autoComplete="off"
              spellcheck={false}
              maxLength={LONGEST}
              data-test="keypad-text"
              aria-describedby="keypad-hint"
              value={text}
              onInput={event => setText(event.currentTarget.value)}
            />
            <Button test="keypad-send" busy={isPending(state, 'digits')} disabled={!usable || !text.trim()} onClick={sendText}>
              {t('keypad.send')}
            </Button>
          </span>
          <span class="hint" id="keypad-hint">
            {t('keypad.hint')}
          </span>
        </form>
        <Refused state={state} of={['digits']} />
      </div>
    </section>
  )
}
