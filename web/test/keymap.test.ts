import { describe, expect, it } from 'vitest'
import { assign, changes, chordLabel, commandOf, commands, defaults, holderOf, keymapOf, refused, type KeyPress } from '../src/state/keymap'

const press = (code: string, more: Partial<KeyPress> = {}): KeyPress => ({ altKey: true, ctrlKey: false, metaKey: false, shiftKey: false, repeat: false, code, ...more })
const f8 = { code: 'F8', alt: false, shift: false }

describe('shortcuts (F5)', () => {
  it('are held with Alt alone: AltGr is for typing', () => {
    expect(commandOf(press('KeyA'), defaults, true)).toBe('answer')
    expect(commandOf(press('KeyA', { ctrlKey: true }), defaults, false)).toBeNull()
    expect(commandOf(press('KeyA', { altKey: false }), defaults, false)).toBeNull()
    expect(commandOf(press('KeyA', { shiftKey: true }), defaults, false)).toBeNull()
    expect(commandOf(press('KeyA', { repeat: true }), defaults, false)).toBeNull()
    expect(commandOf(press('KeyB'), defaults, false)).toBeNull()
  })

  it('have defaults that no browser needs, each for one command', () => {
    for (const command of commands) {
      const chord = defaults[command]
      if (!chord) throw new Error(command)
      expect(refused(press(chord.code, { shiftKey: chord.shift })), command).toBeNull()
      expect(holderOf(chord, defaults)).toBe(command)
    }
  })

  it('without Alt stay quiet while somebody types', () => {
    const keymap = assign(defaults, 'mute', f8)
    expect(commandOf(press('F8', { altKey: false }), keymap, false)).toBe('mute')
    expect(commandOf(press('F8', { altKey: false }), keymap, true)).toBeNull()
    expect(commandOf(press('KeyM'), keymap, false)).toBeNull()
  })

  it('are not what the browser, the screen reader or the page needs', () => {
    expect(refused(press('KeyD'))).toBe('reserved')
    expect(refused(press('F4'))).toBe('reserved')
    expect(refused(press('KeyM', { altKey: false, ctrlKey: true }))).toBe('control')
    expect(refused(press('KeyM', { ctrlKey: true }))).toBe('control')
    expect(refused(press('F5', { altKey: false }))).toBe('reserved')
    expect(refused(press('Enter', { altKey: false }))).toBe('reserved')
    expect(refused(press('AltLeft'))).toBe('held')
    expect(refused(press('KeyN'))).toBeNull()
    expect(refused(press('F8', { altKey: false }))).toBeNull()
  })

  it('go from one command to another, never to two', () => {
    const taken = assign(defaults, 'hold', { code: 'KeyM', alt: true, shift: false })
    expect([taken.hold, taken.mute]).toEqual([{ code: 'KeyM', alt: true, shift: false }, null])
    expect(assign(defaults, 'hold', null).hold).toBeNull()
  })

  it('are kept as what differs, and come back so', () => {
    const own = assign(assign(defaults, 'hold', { code: 'KeyM', alt: true, shift: false }), 'answer', f8)
    expect(changes(defaults)).toEqual({})
    expect(Object.keys(changes(own)).sort()).toEqual(['answer', 'hold', 'mute'])
    expect(keymapOf(JSON.parse(JSON.stringify(changes(own))))).toEqual(own)
  })

  it('come back as the defaults from what cannot be read, and yield to what was kept', () => {
    for (const kept of [null, 'nonsense', [], { answer: 7, hold: { code: 'KeyM' }, unknown: f8 }]) expect(keymapOf(kept)).toEqual(defaults)
    expect(keymapOf({ hold: { code: 'KeyM', alt: true, shift: false } }).mute).toBeNull()
  })

  it('are named as they stand on the keyboard', () => {
    expect([chordLabel(defaults.answer), chordLabel(defaults.previous), chordLabel(f8), chordLabel(null)]).toEqual(['Alt A', 'Alt ↑', 'F8', '–'])
    expect(chordLabel({ code: 'Digit3', alt: true, shift: true })).toBe('Alt Shift 3')
  })
})
