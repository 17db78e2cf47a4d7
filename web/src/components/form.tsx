import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { AccountChoice } from '../generated/wire'
import { t } from '../i18n'
import { spell, useTime } from '../services/clock'
import { passwordRules, type PasswordRules } from '../state/password'
import { Icon } from './Icon'
import { initials } from './parts'

/** A sentence at the field that it is about. */
export interface Fault<F extends string> {
  field: F
  text: string
}

export function faultOf<F extends string>(fault: Fault<F> | null, field: F): string | null {
  return fault && fault.field === field ? fault.text : null
}

/** The field to begin with. A document heeds the autofocus attribute only once. */
function useFirst(first: boolean | undefined) {
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    if (first && input.current) input.current.focus()
  }, [])
  return input
}

/** A form of the entrance: what it is for, its fields, its one button. */
export function Card({ title, lead, test, onSubmit, children }: { title: string; lead: ComponentChildren; test: string; onSubmit(): void; children: ComponentChildren }) {
  return (
    <form
      class="card"
      noValidate
      data-test={test}
      onSubmit={event => {
        event.preventDefault()
        onSubmit()
      }}
    >
      <div class="v v--1 card__head">
        <h1 class="t6 semi">{title}</h1>
        <p class="dim">{lead}</p>
      </div>
      {children}
    </form>
  )
}

export function Submit({ busy, disabled, test, children }: { busy: boolean; disabled?: boolean; test: string; children: ComponentChildren }) {
  return (
    <button class="btn btn--primary btn--l btn--block" type="submit" data-test={test} disabled={disabled} aria-busy={busy ? 'true' : undefined}>
      <span>{children}</span>
    </button>
  )
}

interface FieldProps {
  id: string
  label: string
  type: 'email' | 'password' | 'tel' | 'text'
  value: string
  autocomplete: 'username' | 'current-password' | 'new-password' | 'tel' | 'nickname' | 'off'
  error: string | null
  onInput(value: string): void
  autofocus?: boolean
  hint?: string
  most?: number
  /** Beside the label. */
  aside?: ComponentChildren
}

export function Field({ id, label, type, value, autocomplete, error, onInput, autofocus, hint, most, aside }: FieldProps) {
  const [shown, setShown] = useState(false)
  const input = useFirst(autofocus)
  const named = <label for={id}>{label}</label>
  return (
    <div class={error ? 'field field--bad' : 'field'}>
      {aside ? (
        <span class="split label">
          {named}
          {aside}
        </span>
      ) : (
        named
      )}
      <div class={type === 'password' ? 'secret' : undefined}>
        <input
          class={type === 'tel' ? 'in in--l num' : 'in in--l'}
          id={id}
          name={id}
          data-test={id}
          type={(shown ? 'text' : type) as 'text'}
          value={value}
          autoComplete={autocomplete}
          ref={input}
          autoCapitalize="off"
          spellcheck={false}
          maxLength={most}
          aria-invalid={error ? 'true' : undefined}
          aria-describedby={error ? `${id}-error` : hint ? `${id}-hint` : undefined}
          onInput={event => onInput(event.currentTarget.value)}
        />
        {type === 'password' ? (
          <button type="button" class="btn btn--quiet btn--icon btn--s" aria-pressed={shown ? 'true' : 'false'} aria-label={t(shown ? 'password.hide' : 'password.show')} onClick={() => setShown(!shown)}>
            <Icon name={shown ? 'eyeoff' : 'eye'} size="s" />
          </button>
        ) : null}
      </div>
      {hint && !error ? (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      ) : null}
      <Wrong id={`${id}-error`} text={error} />
    </div>
  )
}

function Wrong({ id, text }: { id: string; text: string | null }) {
  return text ? (
    <p class="err" id={id} role="alert">
      <Icon name="alert" />
      <span>{text}</span>
    </p>
  ) : null
}

interface CodeProps {
  value: string
  error: string | null
  /** When another may be asked for. */
  again: number
  onInput(value: string): void
  onResend(): void
  onOther?(): void
  autofocus?: boolean
}

/** Six digits; the time until another code may be asked for runs beside it (A4). */
export function CodeField({ value, error, again, onInput, onResend, onOther, autofocus }: CodeProps) {
  const input = useFirst(autofocus)
  const left = useTime(0, now => (again > now ? spell(again - now + 999) : ''))
  return (
    <div class={error ? 'field field--bad' : 'field'}>
      <span class="split label">
        <label for="code">{t('code.label')}</label>
        {onOther ? (
          <button type="button" class="btn btn--quiet btn--s" onClick={onOther}>
            {t('code.other')}
          </button>
        ) : null}
      </span>
      <input
        class="in otp num"
        id="code"
        name="code"
        data-test="code"
        type="text"
        inputMode="numeric"
        autoComplete="one-time-code"
        ref={input}
        maxLength={6}
        value={value}
        aria-invalid={error ? 'true' : undefined}
        aria-describedby={error ? 'code-error' : undefined}
        onInput={event => {
          const digits = event.currentTarget.value.replace(/[^0-9]/g, '')
          event.currentTarget.value = digits
          onInput(digits)
        }}
      />
      <Wrong id="code-error" text={error} />
      <div class="split t2">
        <span class="dim">{t('code.missing')}</span>
        {left ? (
          <span class="faint num">{t('code.again.in', { time: left })}</span>
        ) : (
          <button type="button" class="btn btn--quiet btn--s" data-test="send-again" onClick={onResend}>
            {t('code.again')}
          </button>
        )}
      </div>
    </div>
  )
}

/** Which of the accounts that share a number. */
export function Accounts({ accounts, chosen, choose }: { accounts: AccountChoice[]; chosen: number | null; choose(id: number): void }) {
  return (
    <fieldset class="accts">
      <legend class="sr">{t('accounts.which')}</legend>
      {accounts.map(account => (
        <label class={chosen === account.id ? 'acct acct--on' : 'acct'} key={account.id} data-test="account">
          <span class="av" aria-hidden="true">
            {initials(account.name)}
          </span>
          <span class="v v--0">
            <b class="med cut">{account.name}</b>
            <span class="t2 dim cut">{account.email}</span>
          </span>
          <input type="radio" name="account" class="box" checked={chosen === account.id} onChange={() => choose(account.id)} />
        </label>
      ))}
    </fieldset>
  )
}

const points: (keyof PasswordRules)[] = ['length', 'letter', 'digit', 'special', 'spaces']

/** The policy's points, checked while typing (A6). */
export function Rules({ password }: { password: string }) {
  const rules = passwordRules(password)
  return (
    <ul class="rules">
      {points.map(point => (
        <li key={point} class={rules[point] ? 'ok' : undefined} data-rule={point} data-ok={String(rules[point])}>
          <Icon name={rules[point] ? 'check' : 'minus'} />
          <span>{t(`password.rule.${point}`)}</span>
        </li>
      ))}
    </ul>
  )
}
