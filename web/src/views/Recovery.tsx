import { useState } from 'preact/hooks'
import type { AccountChoice, Me } from '../generated/wire'
import { t } from '../i18n'
import { failureText } from '../components/failure'
import { Accounts, Card, CodeField, faultOf, Field, Rules, Submit, type Fault } from '../components/form'
import { looksLikeNumber, useCode, type Sending } from '../services/code'
import { api, ApiFailure } from '../services/http'
import { passwordGood } from '../state/password'

/** A forgotten password (A5): number, code, which account, new password. */
export function Recovery({ onBack, onLogin }: { onBack(): void; onLogin(me: Me): void }) {
  const [mobile, setMobile] = useState('')
  const [code, setCode] = useState('')
  const [accounts, setAccounts] = useState<AccountChoice[]>([])
  const [chosen, setChosen] = useState<number | null>(null)
  const [password, setPassword] = useState('')
  const [fault, setFault] = useState<Fault<'mobile' | 'code' | 'password'> | null>(null)
  const [busy, setBusy] = useState(false)
  const sending: Sending = useCode(
    to => api.recoveryCode({ mobile: to }),
    failure => setFault({ field: sending.sent ? 'code' : 'mobile', text: failureText(failure) }),
  )
  const send = () => {
    if (!looksLikeNumber(mobile)) return setFault({ field: 'mobile', text: t('error.wrong_number') })
    setFault(null)
    setCode('')
    sending.ask(mobile)
  }
  const check = () => {
    if (busy || code.length < 6) return
    setBusy(true)
    setFault(null)
    api.recoverable({ mobile, code }).then(
      found => {
        setBusy(false)
        setAccounts(found)
        setChosen(found[0] ? found[0].id : null)
      },
      (failure: unknown) => {
        setBusy(false)
        setFault({ field: 'code', text: failureText(failure) })
      },
    )
  }
  const save = () => {
    if (busy || chosen === null || !passwordGood(password)) return
    setBusy(true)
    setFault(null)
    api.recover({ mobile, code, account: chosen, password }).then(
      me => {
        setBusy(false)
        onLogin(me)
      },
      (failure: unknown) => {
        setBusy(false)
        const late = failure instanceof ApiFailure && (failure.code === 'wrong_code' || failure.code === 'code_burned')
        if (late) setAccounts([])
        setFault({ field: late ? 'code' : 'password', text: failureText(failure) })
      },
    )
  }
  const back = (
    <button type="button" class="btn btn--quiet btn--block" onClick={onBack}>
      {t('recovery.back')}
    </button>
  )
  if (!sending.sent) {
    return (
      <Card title={t('recovery.title')} lead={t('recovery.lead')} test="recovery" onSubmit={send}>
        <Field id="mobile" label={t('mobile.label')} type="tel" value={mobile} autocomplete="tel" error={faultOf(fault, 'mobile')} onInput={setMobile} hint={t('mobile.hint')} autofocus />
        <Submit test="send-code" busy={sending.busy}>
          {t('code.send')}
        </Submit>
        {back}
      </Card>
    )
  }
  if (accounts.length === 0) {
    return (
      <Card title={t('code.title')} lead={t('code.sent.perhaps', { number: sending.sent.to })} test="recovery" onSubmit={check}>
        <CodeField value={code} error={faultOf(fault, 'code')} again={sending.sent.again} onInput={setCode} onResend={send} autofocus />
        <Submit test="check-code" busy={busy} disabled={code.length < 6}>
          {t('recovery.check')}
        </Submit>
        <button type="button" class="btn btn--quiet btn--block" onClick={() => (sending.forget(), setFault(null))}>
          {t('code.other')}
        </button>
      </Card>
    )
  }
  return (
    <Card title={t('recovery.new')} lead={t(accounts.length > 1 ? 'accounts.which' : 'recovery.new.lead')} test="recovery" onSubmit={save}>
      {accounts.length > 1 ? <Accounts accounts={accounts} chosen={chosen} choose={setChosen} /> : null}
      <Field id="new-password" label={t('password.new')} type="password" value={password} autocomplete="new-password" error={faultOf(fault, 'password')} onInput={setPassword} autofocus />
      <Rules password={password} />
      <Submit test="save-password" busy={busy} disabled={!passwordGood(password)}>
        {t('recovery.save')}
      </Submit>
      <p class="t2 faint">{t('password.others')}</p>
    </Card>
  )
}
