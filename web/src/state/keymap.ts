/** What a key does; the defaults are those of the look's README. */
export const commands = [
  'answer', 'decline', 'hold', 'mute', 'transfer', 'consult', 'swap', 'conference', 'endConsult', 'service', 'keypad', 'hangUp', 'remark', 'endWrapUp', 'continueWrapUp', 'complete',
  'dial', 'menu', 'previous', 'next',
] as const
export type Command = (typeof commands)[number]

/** A key by its place on the keyboard, and what is held with it. */
export interface Chord {
  code: string
  alt: boolean
  shift: boolean
}

/** null: no key. */
export type Keymap = { [command in Command]: Chord | null }

export interface KeyPress {
  altKey: boolean
  ctrlKey: boolean
  metaKey: boolean
  shiftKey: boolean
  repeat: boolean
  code: string
}

const alt = (code: string): Chord => ({ code, alt: true, shift: false })

/** Alt alone: it works while typing, and these letters open no menu of Chrome, Edge or Firefox and are no screen reader's. */
export const defaults: Keymap = {
  answer: alt('KeyA'),
  decline: alt('KeyX'),
  hold: alt('KeyP'),
  mute: alt('KeyM'),
  transfer: alt('KeyG'),
  consult: alt('KeyC'),
  swap: alt('KeyN'),
  conference: alt('KeyU'),
  endConsult: alt('KeyJ'),
  service: alt('KeyI'),
  keypad: alt('KeyK'),
  hangUp: alt('KeyQ'),
  remark: alt('KeyR'),
  endWrapUp: alt('KeyW'),
  continueWrapUp: alt('KeyL'),
  complete: alt('KeyY'),
  dial: alt('KeyO'),
  menu: alt('KeyZ'),
  previous: alt('ArrowUp'),
  next: alt('ArrowDown'),
}

export function sameChord(a: Chord, b: Chord): boolean {
  return a.code === b.code && a.alt === b.alt && a.shift === b.shift
}

/** The command of a key. AltGr is Ctrl+Alt and belongs to typing; so do keys without Alt while somebody types. */
export function commandOf(press: KeyPress, keymap: Keymap, typing: boolean): Command | null {
  if (press.ctrlKey || press.metaKey || press.repeat || (typing && !press.altKey)) return null
  return holderOf(chordOf(press), keymap)
}

/** Which command has this key. */
export function holderOf(chord: Chord, keymap: Keymap): Command | null {
  return (
    commands.find(command => {
      const own = keymap[command]
      return own !== null && sameChord(own, chord)
    }) || null
  )
}

export function chordOf({ code, altKey, shiftKey }: KeyPress): Chord {
  return { code, alt: altKey, shift: shiftKey }
}

const held = /^(Alt|Control|Shift|Meta|OS|CapsLock|NumLock|ScrollLock|Fn)/
/** Walk through the page, choose, close: browsers', screen readers' and the page's own. */
const pageKeys = /^(Tab|Escape|Enter|NumpadEnter|Space|Backspace|Delete|Insert|Home|End|PageUp|PageDown|Arrow\w+|ContextMenu|PrintScreen|Pause|Slash)$/
/** With Alt: menus and address bar of Chrome, Edge and Firefox on Windows and Linux; leaving the page. */
const withAlt = /^(Key[BDEFHSTV]|F4|Tab|Escape|Enter|NumpadEnter|Space|Backspace|Insert|Home|ArrowLeft|ArrowRight|PrintScreen|ContextMenu)$/
const browserFunctions = /^F(1|3|5|6|7|10|11|12)$/

/** Why a key cannot be taken: `held` is only held with others, and so no answer yet. */
export function refused(press: KeyPress): 'held' | 'control' | 'reserved' | null {
  if (held.test(press.code) || press.code === '') return 'held'
  if (press.ctrlKey || press.metaKey) return 'control'
  if (browserFunctions.test(press.code)) return 'reserved'
  return (press.altKey ? withAlt : pageKeys).test(press.code) ? 'reserved' : null
}

/** `Alt A`, `Alt ↑`, `F8`. */
export function chordLabel(chord: Chord | null): string {
  if (chord === null) return '–'
  const arrows: { [code: string]: string | undefined } = { ArrowUp: '↑', ArrowDown: '↓' }
  const key = arrows[chord.code] || chord.code.replace(/^(Key|Digit)/, '').replace(/^Numpad/, 'Num ')
  return `${chord.alt ? 'Alt ' : ''}${chord.shift ? 'Shift ' : ''}${key}`
}

/** What was kept, on top of the defaults; what cannot be read is left out. A key has one command: kept ones go first. */
export function keymapOf(kept: unknown): Keymap {
  const own: Partial<Keymap> = {}
  if (typeof kept === 'object' && kept !== null) {
    commands.forEach(command => {
      const chord = (kept as { [command: string]: unknown })[command]
      if (chord === null) own[command] = null
      else if (typeof chord === 'object') {
        const { code, alt, shift } = chord as Partial<Chord>
        if (typeof code === 'string' && typeof alt === 'boolean' && typeof shift === 'boolean') own[command] = { code, alt, shift }
      }
    })
  }
  const keymap = { ...defaults, ...own }
  commands.forEach(command => {
    const chord = keymap[command]
    const holder = chord !== null && own[command] === undefined ? commands.find(other => other !== command && own[other] && sameChord(own[other] as Chord, chord)) : undefined
    if (holder) keymap[command] = null
  })
  return keymap
}

/** Only what differs from the defaults. */
export function changes(keymap: Keymap): Partial<Keymap> {
  const changed: Partial<Keymap> = {}
  commands.forEach(command => {
    const [own, usual] = [keymap[command], defaults[command]]
    const alike = own === null || usual === null ? own === usual : sameChord(own, usual)
    if (!alike) changed[command] = own
  })
  return changed
}

/** The command gets the key; who had it has none. */
export function assign(keymap: Keymap, command: Command, chord: Chord | null): Keymap {
  const holder = chord === null ? null : holderOf(chord, keymap)
  const without = holder === null ? keymap : { ...keymap, [holder]: null }
  return { ...without, [command]: chord }
}
