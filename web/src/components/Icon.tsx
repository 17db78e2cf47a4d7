import sprite from '../styles/icons.svg?raw'

export type IconName =
  | 'ain' | 'aout' | 'alert' | 'back' | 'bell' | 'camera' | 'check' | 'clock' | 'consult' | 'copy' | 'down' | 'download' | 'eye' | 'eyeoff' | 'flow' | 'globe' | 'hangup' | 'headset' | 'info' | 'join' | 'keypad' | 'left'
  | 'lock' | 'logout' | 'mic' | 'micoff' | 'minus' | 'moon' | 'music' | 'net' | 'netoff' | 'note' | 'out' | 'pause' | 'phone' | 'play' | 'refresh' | 'right' | 'search' | 'speaker' | 'swap' | 'transfer' | 'trash'
  | 'user' | 'x'

/** The sign of a call's type, as the switch names it (G1). */
export function callIcon(callType: string): IconName {
  return callType === 'internal' ? 'user' : callType === 'outbound' ? 'aout' : 'ain'
}

/** All symbols, once a page. */
export function Sprite() {
  return <div hidden dangerouslySetInnerHTML={{ __html: sprite }} />
}

export function Icon({ name, size }: { name: IconName; size?: 's' | 'l' }) {
  return (
    <svg class={size ? `i i--${size}` : 'i'} viewBox="0 0 20 20" aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  )
}

/** The mark of the house: two jacks and the cord between them. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="7" />
      <g>
        <circle cx="8" cy="9" r="2.6" />
        <circle cx="18" cy="9" r="2.6" />
        <path d="M8 11.8c0 9 10 9 10 0" />
      </g>
    </svg>
  )
}
