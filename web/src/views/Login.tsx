import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Me } from '../generated/wire'
import { language, languages, setLanguage, t, type Key } from '../i18n'
import { Board } from '../components/Board'
import { failureText } from '../components/failure'
import { Card, faultOf, Field, Rules, Submit, type Fault } from '../components/form'
import { Icon, Mark } from '../components/Icon'
import { api, ApiFailure } from '../services/http'
import { passwordGood } from '../state/password'
import { Recovery } from './Recovery'
import { SmsLogin } from './SmsLogin'

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

type Way = 'password' | 'sms' | 'recovery'

interface LoginProps {
  notice: Key | null
  /** The address to begin with. */
  account: string
  onLogin(me: Me): void
}

/** Logging in (A3): by password, by a code, or by a new password for one that was forgotten (A5). */
export function Login({ notice, account, onLogin }: LoginProps) {
  const [way, setWay] = useState<Way>('password')
  const tabs = (
    <div class="seg seg--block" role="group" aria-label={t('login.way')}>
      <button type="button" data-test="by-password" aria-pressed={way === 'password' ? 'true' : 'false'} onClick={() => setWay('password')}>
        {t('login.way.password')}
      </button>
      <button type="button" data-test="by-sms" aria-pressed={way === 'sms' ? 'true' : 'false'} onClick={() => setWay('sms')}>
        {t('login.way.sms')}
      </button>
    </div>
  )
  switch (way) {
    case 'password':
      return <PasswordLogin notice={notice} account={account} tabs={tabs} onForgot={() => setWay('recovery')} onLogin={onLogin} />
    case 'sms':
      return <SmsLogin tabs={tabs} onLogin={onLogin} />
    case 'recovery':
      return <Recovery onBack={() => setWay('password')} onLogin={onLogin} />
  }
}

function PasswordLogin({ notice, account, tabs, onForgot, onLogin }: LoginProps & { tabs: ComponentChildren; onForgot(): void }) {
  const [email, setEmail] = useState(account)
  const [password, setPassword] = useState('')
  const [fault, setFault] = useState<Fault<'email' | 'password'> | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = () => {
    if (busy) return
    if (!email.trim()) return setFault({ field: 'email', text: t('login.email.missing') })
    if (!password) return setFault({ field: 'password', text: t('login.password.missing') })
    setBusy(true)
    setFault(null)
    api.login({ email: email.trim(), password }).then(
      me => {
        setBusy(false)
        onLogin(me)
      },
      (failure: unknown) => {
        setBusy(false)
        setFault({ field: 'password', text: failureText(failure) })
      },
    )
  }
  const forgot = (
    <button type="button" class="btn btn--quiet btn--s" data-test="forgot" onClick={onForgot}>
      {t('login.forgot')}
    </button>
  )
  return (
    <Card title={t('login.title')} lead={t('login.lead')} test="login-form" onSubmit={submit}>
      {tabs}
      {notice && !fault ? (
        <p class="notice" role="status">
          <Icon name="info" />
          <span>{t(notice)}</span>
        </p>
      ) : null}
      <Field id="email" label={t('login.email')} type="email" value={email} autocomplete="username" error={faultOf(fault, 'email')} onInput={setEmail} autofocus={!account} />
      <Field
        id="password"
        label={t('login.password')}
        type="password"
        value={password}
        autocomplete="current-password"
        error={faultOf(fault, 'password')}
        onInput={setPassword}
        autofocus={account.length > 0}
        aside={forgot}
      />
      <Submit test="submit" busy={busy}>
        {t('login.submit')}
      </Submit>
    </Card>
  )
}

/** Changes the password (A7). */
export function PasswordForm({ onDone, onBack }: { onDone(): void; onBack(): void }) {
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const [fault, setFault] = useState<Fault<'old' | 'new'> | null>(null)
  const [busy, setBusy] = useState(false)
  const ready = passwordGood(next) && old.length > 0
  const submit = () => {
    if (busy || !ready) return
    setBusy(true)
    setFault(null)
    api.password({ old, new: next }).then(
      () => {
        setBusy(false)
        onDone()
      },
      (failure: unknown) => {
        setBusy(false)
        const wrong = failure instanceof ApiFailure && failure.code === 'wrong_credentials'
        setFault(wrong ? { field: 'old', text: t('error.wrong_old_password') } : { field: 'new', text: failureText(failure) })
      },
    )
  }
  return (
    <Card title={t('password.title')} lead={t('password.lead')} test="password-form" onSubmit={submit}>
      <Field id="old-password" label={t('password.old')} type="password" value={old} autocomplete="current-password" error={faultOf(fault, 'old')} onInput={setOld} autofocus />
      <Field id="new-password" label={t('password.new')} type="password" value={next} autocomplete="new-password" error={faultOf(fault, 'new')} onInput={setNext} />
      <Rules password={next} />
      <Submit test="save-password" busy={busy} disabled={!ready}>
        {t('password.save')}
      </Submit>
      <div class="split t2 faint">
        <span>{t('password.others')}</span>
        <button type="button" class="btn btn--quiet btn--s" onClick={onBack}>
          {t('password.back')}
        </button>
      </div>
    </Card>
  )
}
