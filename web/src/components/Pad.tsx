import { useRef } from 'preact/hooks'
import { t } from '../i18n'

/** A telephone's keys, with the letters of ITU-T E.161. */
const keys: [string, string][] = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'],
  ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'],
  ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'],
  ['*', ''], ['0', ''], ['#', ''],
]
/** A key that is pressed for so long gives its second sign. */
const LONG = 500

/** The twelve keys. `plus`: 0 gives a + when it is held. */
export function Pad({ press, plus, disabled }: { press(key: string): void; plus?: boolean; disabled?: boolean }) {
  const timer = useRef<number | null>(null)
  const held = useRef(false)
  const release = () => {
    if (timer.current !== null) clearTimeout(timer.current)
    timer.current = null
  }
  const hold = () => {
    release()
    held.current = false
    timer.current = window.setTimeout(() => {
      held.current = true
      press('+')
    }, LONG)
  }
  return (
    <div class="pad" role="group" aria-label={t('pad.label')}>
      {keys.map(([key, letters]) => {
        const second = plus && key === '0'
        return (
          <button
            type="button"
            key={key}
            data-test={`key-${key}`}
            aria-label={second ? t('pad.zero') : undefined}
            disabled={disabled}
            // The text field keeps the focus and its caret.
            onMouseDown={event => event.preventDefault()}
            onPointerDown={second ? hold : undefined}
            onPointerUp={second ? release : undefined}
            onPointerLeave={second ? release : undefined}
            onClick={() => {
              if (second && held.current) held.current = false
              else press(key)
            }}
          >
            <span class="pad__in">
              {key}
              <small aria-hidden="true">{second ? '+' : letters}</small>
            </span>
          </button>
        )
      })}
    </div>
  )
}
