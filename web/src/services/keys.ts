import { useEffect, useState } from 'preact/hooks'
import { changes, chordLabel, defaults, keymapOf, type Command, type Keymap } from '../state/keymap'

const listeners = new Set<() => void>()
let account = ''
let current: Keymap = defaults

/** From now on the keys are this account's. */
export function startKeys(email: string) {
  if (email === account) return
  account = email
  try {
    current = keymapOf(JSON.parse(localStorage.getItem(memory()) || 'null'))
  } catch (_) {
    current = defaults
  }
  listeners.forEach(listener => listener())
}

export function keymap(): Keymap {
  return current
}

export function setKeymap(to: Keymap) {
  current = to
  try {
    localStorage.setItem(memory(), JSON.stringify(changes(to)))
  } catch (_) {
    // They last for the page then.
  }
  listeners.forEach(listener => listener())
}

/** The key as it stands on buttons; empty: none. */
export function keyOf(command: Command): string {
  const chord = current[command]
  return chord === null ? '' : chordLabel(chord)
}

/** The keys, and a new rendering when they change. */
export function useKeymap(): Keymap {
  const [, redraw] = useState(0)
  useEffect(() => {
    const listener = () => redraw(n => n + 1)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [])
  return current
}

/** Whether the keys go into a field. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  const field = target.tagName === 'INPUT' && !/^(checkbox|radio|button|submit|file|range)$/.test((target as HTMLInputElement).type)
  return field || /^(TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable
}

function memory(): string {
  return `cordboard.keys.${account}`
}
