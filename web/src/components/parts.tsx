import type { ComponentChildren } from 'preact'
import type { AgentState, Ask, Me } from '../generated/wire'
import { translated, t } from '../i18n'
import type { Refusal, State } from '../state/state'
import { useStation } from './context'
import { Icon, type IconName } from './Icon'

/** The look's name of a state: glyph, colour and word go together. */
export const looks: { [state in AgentState]: string } = {
  available: 'available',
  busy: 'busy',
  onBreak: 'break',
  inLine: 'line',
  afterCallWork: 'acw',
  offline: 'offline',
}

export function Glyph({ state }: { state: AgentState }) {
  return (
    <svg class="st" data-st={looks[state]} viewBox="0 0 12 12" aria-hidden="true">
      <use href={`#st-${looks[state]}`} />
    </svg>
  )
}

/** Two letters of a Latin name, one sign of a Chinese one. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(word => word.length > 0)
  const first = words[0]
  if (!first) return '?'
  if (/[\u3400-\u9fff]/.test(first)) return first.slice(0, 1)
  const last = words.length > 1 ? words[words.length - 1] || '' : ''
  return (first.slice(0, 1) + last.slice(0, 1)).toUpperCase()
}

/** An agent's picture, or the initials; the name stands beside it. */
export function Face({ me, size }: { me: Pick<Me, 'name' | 'avatar'>; size?: 'l' | 'xl' }) {
  return (
    <span class={size ? `av av--${size}` : 'av'} aria-hidden="true">
      <Portrait me={me} />
    </span>
  )
}

/** What is inside of the circle. */
export function Portrait({ me }: { me: Pick<Me, 'name' | 'avatar'> }) {
  return me.avatar === null ? <span aria-hidden="true">{initials(me.name)}</span> : <img class="av__img" src={me.avatar} alt="" data-test="avatar" />
}

/** Four bars; the words beside them say the same. */
export function Bars({ n }: { n: number }) {
  return (
    <span class="bars" data-n={n} aria-hidden="true">
      <i />
      <i />
      <i />
      <i />
    </span>
  )
}

/** The one countdown of the house. `left` is 1 (all of it) to 0. */
export function Ring({ left, text, size, label }: { left: number; text: string; size?: 's' | 'xl'; label: string }) {
  const gone = 283 * (1 - Math.max(0, Math.min(1, left)))
  return (
    <span class={size ? `ring ring--${size}` : 'ring'} role="timer" aria-label={label}>
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="45" />
        <circle class="ring__left" cx="50" cy="50" r="45" stroke-dashoffset={gone} />
      </svg>
      <b class="num">{text}</b>
    </span>
  )
}

interface ButtonProps {
  onClick(): void
  children: ComponentChildren
  icon?: IconName
  kind?: 'primary' | 'go' | 'stop' | 'quiet' | undefined
  size?: 's' | 'l'
  busy?: boolean
  disabled?: boolean
  test?: string
  title?: string | undefined
  /** The button opens something below. */
  expanded?: boolean
  /** The shortcut, beside the words. */
  keys?: string
}

/** A button that shows at once that it was pressed, and takes no second press while its request is on the way. */
export function Button({ onClick, children, icon, kind, size, busy, disabled, test, title, expanded, keys }: ButtonProps) {
  const names = ['btn']
  if (kind) names.push(`btn--${kind}`)
  if (size) names.push(`btn--${size}`)
  return (
    <button
      type="button"
      class={names.join(' ')}
      data-test={test}
      title={title}
      disabled={disabled}
      aria-expanded={expanded === undefined ? undefined : expanded ? 'true' : 'false'}
      aria-busy={busy ? 'true' : undefined}
      onClick={() => {
        if (!busy) onClick()
      }}
    >
      {icon ? <Icon name={icon} /> : null}
      <span>{children}</span>
      {keys ? <Key>{keys}</Key> : null}
    </button>
  )
}

export function refusalText(refusal: Refusal): string {
  if (refusal.ask === 'consult') {
    // A number fails as a call out does (table G).
    const why = translated('failed', refusal.code, '')
    if (why) return t('consult.failed', { why })
    const known = translated('unreached', refusal.code, '')
    if (known) return known
  }
  return translated('error', refusal.code, refusal.message || t('error.failed'))
}

/** Why the last request was refused, where the agent works. */
export function Refused({ state, of }: { state: State; of: Ask['type'][] }) {
  const station = useStation()
  const refusal = state.refusal
  if (!refusal || of.indexOf(refusal.ask) < 0) return null
  const elsewhere = refusal.ask === 'transfer' || refusal.ask === 'consult'
  return (
    <div class={elsewhere ? 'notice refused' : 'notice notice--bad refused'} role="alert" data-test="refused" data-code={refusal.code}>
      <Icon name={elsewhere ? 'info' : 'alert'} />
      <span>{refusalText(refusal)}</span>
      <button type="button" class="btn btn--quiet btn--s btn--icon" aria-label={t('toast.close')} onClick={() => station.seen()}>
        <Icon name="x" size="s" />
      </button>
    </div>
  )
}

export function Key({ children }: { children: ComponentChildren }) {
  return <kbd>{children}</kbd>
}

