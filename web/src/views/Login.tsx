import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Me } from '../generated/wire'
import { language, languages, setLanguage, t, type Key } from '../i18n'
import { Board } from '../components/Board'
import { failureText } from '../components/failure'
import { Icon, Mark } from '../components/Icon'
import { api, ApiFailure } from '../services/http'
import { passwordGood, passwordRules, type PasswordRules } from '../state/password'

/** The frame of the pages before the workstation. */
export function Entrance({ children, version }: { children: ComponentChildren; version: string | null }) {
  return (
    <main class="entrance">
      <section class="sheet entrance__form">
        <div class="brand entrance__brand">
          <Mark />
          {t('app.name')}
        </div>
        {children}
        <div class="split t2 faint">
          <span class="h h--1">
            <Icon name="globe" size="s" />
            {languages.map(each => (
              <button type="button" class="btn btn--quiet btn--s" key={each.id} lang={each.id} aria-pressed={language() === each.id ? 'true' : 'false'} onClick={() => setLanguage(each.id)}>
                {each.name}
              </button>
            ))}
          </span>
          <span>{version ? t('login.version', { version }) : ''}</span>
        </div>
      </section>
      <aside class="entrance__art" aria-hidden="true">
        <Board />
        <p>
          {t('login.motto')}
          <small>{t('login.motto.more')}</small>
        </p>
      </aside>
    </main>
  )
}

export function LoginForm({ notice, account, onLogin }: { notice: Key | null; account: string; onLogin(me: Me, password: string): void }) {
  const [email, setEmail] = useState(account)
  const [password, setPassword] = useState('')
  const [error, setError] = useState<{ field: 'email' | 'password'; text: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = (event: Event) => {
    event.preventDefault()
    if (busy) return
    if (!email.trim()) return setError({ field: 'email', text: t('login.email.missing') })
    if (!password) return setError({ field: 'password', text: t('login.password.missing') })
    setBusy(true)
    setError(null)
    api.login({ email: email.trim(), password }).then(
      me => {
        setBusy(false)
        onLogin(me, password)
      },
      (failure: unknown) => {
        setBusy(false)
        setError({ field: 'password', text: failureText(failure) })
      },
    )
  }
  return (
    <form class="card" onSubmit={submit} noValidate>
      <div class="v v--1 card__head">
        <h1 class="t6 semi">{t('login.title')}</h1>
        <p class="dim">{t('login.lead')}</p>
      </div>
      {notice && !error ? (
        <p class="notice" role="status">
          <Icon name="info" />
          <span>{t(notice)}</span>
        </p>
      ) : null}
      <Field id="email" label={t('login.email')} type="email" value={email} autocomplete="username" error={error && error.field === 'email' ? error.text : null} onInput={setEmail} autofocus={!account} />
      <Field
        id="password"
        label={t('login.password')}
        type="password"
        value={password}
        autocomplete="current-password"
        error={error && error.field === 'password' ? error.text : null}
        onInput={setPassword}
        autofocus={account.length > 0}
      />
      <button class="btn btn--primary btn--l btn--block" type="submit" data-test="submit" aria-busy={busy ? 'true' : undefined}>
        <span>{t('login.submit')}</span>
      </button>
    </form>
  )
}

interface FieldProps {
  id: string
  label: string
  type: 'email' | 'password'
  value: string
  autocomplete: 'username' | 'current-password' | 'new-password'
  error: string | null
  onInput(value: string): void
  autofocus?: boolean
}

function Field({ id, label, type, value, autocomplete, error, onInput, autofocus }: FieldProps) {
  const [shown, setShown] = useState(false)
  return (
    <div class={error ? 'field field--bad' : 'field'}>
      <label for={id}>{label}</label>
      <div class={type === 'password' ? 'secret' : undefined}>
        <input
          class="in in--l"
          id={id}
          name={id}
          data-test={id}
          type={(shown ? 'text' : type) as 'text'}
          value={value}
          autoComplete={autocomplete}
          autoFocus={autofocus}
          autoCapitalize="off"
          spellcheck={false}
          aria-invalid={error ? 'true' : undefined}
          aria-describedby={error ? `${id}-error` : undefined}
          onInput={event => onInput(event.currentTarget.value)}
        />
        {type === 'password' ? (
          <button type="button" class="btn btn--quiet btn--icon btn--s" aria-pressed={shown ? 'true' : 'false'} aria-label={t(shown ? 'password.hide' : 'password.show')} onClick={() => setShown(!shown)}>
            <Icon name={shown ? 'eyeoff' : 'eye'} size="s" />
          </button>
        ) : null}
      </div>
      {error ? (
        <p class="err" id={`${id}-error`} role="alert">
          <Icon name="alert" />
          <span>{error}</span>
        </p>
      ) : null}
    </div>
  )
}

interface PasswordProps {
  /** The one-time password that was just used; null: the person types the present one. */
  old: string | null
  /** The account was given a one-time password: nothing else is open before it is changed. */
  first: boolean
  onDone(): void
  onBack(): void
}

/** Changes the password; the policy's points are checked while typing (A6). */
export function PasswordForm({ old, first, onDone, onBack }: PasswordProps) {
  const [present, setPresent] = useState('')
  const [next, setNext] = useState('')
  const [error, setError] = useState<{ field: 'old' | 'new'; text: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const rules = passwordRules(next)
  const ready = passwordGood(next) && (old !== null || present.length > 0)
  const submit = (event: Event) => {
    event.preventDefault()
    if (busy || !ready) return
    setBusy(true)
    setError(null)
    api.password({ old: old === null ? present : old, new: next }).then(
      () => {
        setBusy(false)
        onDone()
      },
      (failure: unknown) => {
        setBusy(false)
        const wrong = failure instanceof ApiFailure && failure.code === 'wrong_credentials'
        setError(wrong ? { field: old === null ? 'old' : 'new', text: t('error.wrong_old_password') } : { field: 'new', text: failureText(failure) })
      },
    )
  }
  return (
    <form class="card" onSubmit={submit} noValidate data-test="password-form">
      <div class="v v--1 card__head">
        <h1 class="t6 semi">{t(first ? 'password.title' : 'password.title.change')}</h1>
        <p class="dim">{t(first ? 'password.lead.first' : 'password.lead')}</p>
      </div>
      {old === null ? (
        <Field
          id="old-password"
          label={t(first ? 'password.old.first' : 'password.old')}
          type="password"
          value={present}
          autocomplete="current-password"
          error={error && error.field === 'old' ? error.text : null}
          onInput={setPresent}
          autofocus
        />
      ) : null}
      <Field
        id="new-password"
        label={t('password.new')}
        type="password"
        value={next}
        autocomplete="new-password"
        error={error && error.field === 'new' ? error.text : null}
        onInput={setNext}
        autofocus={old !== null}
      />
      <Rules rules={rules} />
      <button class="btn btn--primary btn--l btn--block" type="submit" data-test="save-password" disabled={!ready} aria-busy={busy ? 'true' : undefined}>
        <span>{t(first ? 'password.save.first' : 'password.save')}</span>
      </button>
      <div class="split t2 faint">
        <span>{t('password.others')}</span>
        {first ? null : (
          <button type="button" class="btn btn--quiet btn--s" onClick={onBack}>
            {t('password.back')}
          </button>
        )}
      </div>
    </form>
  )
}

const points: (keyof PasswordRules)[] = ['length', 'letter', 'digit', 'special', 'spaces']

function Rules({ rules }: { rules: PasswordRules }) {
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
