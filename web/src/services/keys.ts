/** What a key held with Alt does; the names are those of the look's README. */
export type Command = 'answer' | 'decline' | 'hold' | 'mute' | 'transfer' | 'consult' | 'swap' | 'conference' | 'endConsult' | 'hangUp' | 'endWrapUp' | 'continueWrapUp' | 'complete' | 'dial' | 'keypad' | 'menu' | 'previous' | 'next'

const commands: { [code: string]: Command | undefined } = {
  KeyA: 'answer',
  KeyX: 'decline',
  KeyP: 'hold',
  KeyM: 'mute',
  KeyG: 'transfer',
  KeyC: 'consult',
  KeyN: 'swap',
  KeyU: 'conference',
  KeyR: 'endConsult',
  KeyK: 'keypad',
  KeyO: 'dial',
  KeyQ: 'hangUp',
  KeyW: 'endWrapUp',
  KeyL: 'continueWrapUp',
  KeyY: 'complete',
  KeyZ: 'menu',
  ArrowUp: 'previous',
  ArrowDown: 'next',
}

/** The command of a key, by its place on the keyboard; AltGr is Ctrl+Alt and belongs to typing. */
export function commandOf(event: { altKey: boolean; ctrlKey: boolean; metaKey: boolean; shiftKey: boolean; repeat: boolean; code: string }): Command | null {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) return null
  return commands[event.code] || null
}
