import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { AccountChoice, Me } from '../generated/wire'
import { t } from '../i18n'
import { failureText } from '../components/failure'
import { Accounts, Card, CodeField, faultOf, Field, Submit, type Fault } from '../components/form'
import { looksLikeNumber, useCode, type Sending } from '../services/code'
import { api } from '../services/http'

/** Number, code and, where several accounts share the number, which one (A3). */
export function SmsLogin({ tabs, onLogin }: { tabs: ComponentChildren; onLogin(me: Me): void }) {
  const [mobile, setMobile] = useState('')
  const [code, setCode] = useState('')
  const [accounts, setAccounts] = useState<AccountChoice[]>([])
  const [chosen, setChosen] = useState<number | null>(null)
  const [fault, setFault] = useState<Fault<'mobile' | 'code'> | null>(null)
  const [busy, setBusy] = useState(false)
  const sending: Sending = useCode(
    to => api.loginCode({ mobile: to }),
    failure => setFault({ field: sending.sent ? 'code' : 'mobile', text: failureText(failure) }),
  )
  const send = () => {
    if (!looksLikeNumber(mobile)) return setFault({ field: 'mobile', text: t('error.wrong_number') })
    setFault(null)
    setCode('')
    setAccounts([])
    sending.ask(mobile)
  }
  const enter = () => {
    if (busy || code.length < 6) return
    setBusy(true)
    setFault(null)
    api.smsLogin({ mobile, code, account: chosen }).then(
      answer => {
        setBusy(false)
        if (answer.me) return onLogin(answer.me)
        setAccounts(answer.accounts)
        setChosen(answer.accounts[0] ? answer.accounts[0].id : null)
      },
      (failure: unknown) => {
        setBusy(false)
        setAccounts([])
        setChosen(null)
        setFault({ field: 'code', text: failureText(failure) })
      },
    )
  }
  if (!sending.sent) {
    return (
      <Card title={t('login.title')} lead={t('login.lead')} test="sms-login" onSubmit={send}>
        {tabs}
        <Field id="mobile" label={t('mobile.label')} type="tel" value={mobile} autocomplete="tel" error={faultOf(fault, 'mobile')} onInput={setMobile} hint={t('mobile.hint')} autofocus />
        <Submit test="send-code" busy={sending.busy}>
          {t('code.send')}
        </Submit>
      </Card>
    )
  }
  if (accounts.length > 0) {
    return (
      <Card title={t('login.title')} lead={t('accounts.which')} test="sms-login" onSubmit={enter}>
        <Accounts accounts={accounts} chosen={chosen} choose={setChosen} />
        <Submit test="submit" busy={busy}>
          {t('login.submit')}
        </Submit>
      </Card>
    )
  }
  return (
    <Card title={t('code.title')} lead={t('code.sent.perhaps', { number: sending.sent.to })} test="sms-login" onSubmit={enter}>
      <CodeField value={code} error={faultOf(fault, 'code')} again={sending.sent.again} onInput={setCode} onResend={send} autofocus />
      <Submit test="submit" busy={busy} disabled={code.length < 6}>
        {t('login.submit')}
      </Submit>
      <button type="button" class="btn btn--quiet btn--block" onClick={() => (sending.forget(), setFault(null))}>
        {t('code.other')}
      </button>
    </Card>
  )
}
