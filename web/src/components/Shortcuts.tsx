import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t, type Key as Word } from '../i18n'
import { isTyping, setKeymap, useKeymap } from '../services/keys'
import { assign, changes, chordLabel, chordOf, commands, defaults, holderOf, refused, type Chord, type Command } from '../state/keymap'
import { Icon } from './Icon'
import { Button, Key } from './parts'

const words: { [command in Command]: Word } = {
  answer: 'offer.answer',
  decline: 'offer.decline',
  hold: 'shortcuts.holdResume',
  mute: 'shortcuts.muteUnmute',
  transfer: 'shortcuts.transfer',
  consult: 'call.consult',
  swap: 'consult.swap',
  conference: 'consult.conference',
  endConsult: 'consult.end',
  service: 'call.service',
  keypad: 'keypad.title',
  hangUp: 'call.hangUp',
  remark: 'shortcuts.remark',
  endWrapUp: 'wrapUp.end',
  continueWrapUp: 'wrapUp.continue',
  complete: 'ended.complete',
  dial: 'dial.open',
  menu: 'shortcuts.menu',
  previous: 'shortcuts.previous',
  next: 'shortcuts.next',
}

/** What became of the last key that was pressed for a command. */
type Answer = { is: 'waiting' } | { is: 'refused'; why: 'control' | 'reserved' } | { is: 'taken'; chord: Chord; by: Command }

/** All shortcuts, to read and to change (F5); `?` opens it, Escape closes it. It never covers the call controls: it stands at the right. */
export function Shortcuts() {
  const keymap = useKeymap()
  const [open, setOpen] = useState(false)
  const [changing, setChanging] = useState<Command | null>(null)
  const [answer, setAnswer] = useState<Answer>({ is: 'waiting' })
  const before = useRef<Element | null>(null)
  const box = useRef<HTMLDivElement>(null)
  const give = (command: Command, chord: Chord | null) => {
    setKeymap(assign(keymap, command, chord))
    setChanging(null)
  }
  useEffect(() => {
    const show = () => {
      before.current = document.activeElement
      setOpen(true)
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '?' && !isTyping(event.target) && !event.altKey && !event.ctrlKey) show()
      if (event.key === 'Escape') setOpen(false)
    }
    window.addEventListener('cordboard:shortcuts', show)
    document.addEventListener('keydown', onKey)
    return () => {
      window.removeEventListener('cordboard:shortcuts', show)
      document.removeEventListener('keydown', onKey)
    }
  }, [])
  useLayoutEffect(() => {
    if (open && box.current) box.current.focus()
    if (!open) {
      setChanging(null)
      if (before.current instanceof HTMLElement) before.current.focus()
      before.current = null
    }
  }, [open])
  useLayoutEffect(() => {
    if (changing === null) return
    // Before everybody else: no key may do something while it is being given away.
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Tab') return setChanging(null)
      event.stopPropagation()
      if (event.key === 'Enter' && answer.is === 'taken') return
      event.preventDefault()
      if (event.key === 'Escape') return setChanging(null)
      if (event.key === 'Backspace' || event.key === 'Delete') return give(changing, null)
      const why = refused(event)
      if (why === 'held') return
      if (why !== null) return setAnswer({ is: 'refused', why })
      const chord = chordOf(event)
      const by = holderOf(chord, keymap)
      if (by !== null && by !== changing) return setAnswer({ is: 'taken', chord, by })
      give(changing, chord)
    }
    window.addEventListener('keydown', onKey, true)
    return () => window.removeEventListener('keydown', onKey, true)
  }, [changing, keymap, answer])
  if (!open) return null

  const change = (command: Command) => {
    setAnswer({ is: 'waiting' })
    setChanging(changing === command ? null : command)
  }
  return (
    <div class="pop shortcuts" role="dialog" aria-label={t('shortcuts.title')} tabIndex={-1} ref={box} data-test="shortcuts">
      <div class="split">
        <h2 class="t4">{t('shortcuts.title')}</h2>
        <Button kind="quiet" size="s" onClick={() => setOpen(false)}>
          {t('shortcuts.close')}
        </Button>
      </div>
      <p class="t2 dim">{t('shortcuts.lead')}</p>
      <ul class="keys">
        {commands.map(command => (
          <li key={command}>
            <span>{t(words[command])}</span>
            <button
              type="button"
              class="keys__key"
              data-test={`key-${command}`}
              aria-pressed={changing === command ? 'true' : 'false'}
              aria-label={changing === command ? `${t('shortcuts.press')}: ${t(words[command])}` : t('shortcuts.change', { what: t(words[command]), key: keymap[command] ? chordLabel(keymap[command]) : t('shortcuts.none') })}
              onClick={() => change(command)}
            >
              {changing === command ? <span class="t2 med">{t('shortcuts.press')}</span> : <Key>{chordLabel(keymap[command])}</Key>}
            </button>
            {changing === command ? (
              <div class="keys__more t2" role="status" data-test="key-answer" data-is={answer.is}>
                {answer.is === 'taken' ? (
                  <>
                    <span>{t('shortcuts.taken', { key: chordLabel(answer.chord), what: t(words[answer.by]) })}</span>
                    <Button size="s" test="take-key" onClick={() => give(command, answer.chord)}>
                      {t('shortcuts.take')}
                    </Button>
                  </>
                ) : (
                  <span class={answer.is === 'refused' ? 'keys__refused' : 'dim'}>{t(answer.is === 'refused' ? `shortcuts.refused.${answer.why}` : 'shortcuts.how')}</span>
                )}
              </div>
            ) : null}
          </li>
        ))}
      </ul>
      {Object.keys(changes(keymap)).length > 0 ? (
        <button type="button" class="btn btn--s" data-test="reset-keys" onClick={() => (setKeymap(defaults), setChanging(null))}>
          <Icon name="refresh" size="s" />
          <span>{t('shortcuts.reset')}</span>
        </button>
      ) : null}
    </div>
  )
}
