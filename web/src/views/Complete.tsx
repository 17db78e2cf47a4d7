import { useState } from 'preact/hooks'
import type { Me } from '../generated/wire'
import { t } from '../i18n'
import { failureText } from '../components/failure'
import { Card, CodeField, faultOf, Field, Rules, Submit, type Fault } from '../components/form'
import { looksLikeNumber, useCode, type Sending } from '../services/code'
import { api, ApiFailure } from '../services/http'
import { passwordGood } from '../state/password'

/** Letters of a nickname. */
const LONGEST = 20

/** The first login (A2): a number and its code, a name for customers, a password of one's own. All of it at once, or nothing. */
export function Complete({ me, onDone }: { me: Me; onDone(me: Me): void }) {
  const [mobile, setMobile] = useState('')
  const [code, setCode] = useState('')
  const [nickname, setNickname] = useState(me.nickname || '')
  const [password, setPassword] = useState('')
  const [fault, setFault] = useState<Fault<'mobile' | 'code' | 'nickname' | 'password'> | null>(null)
  const [busy, setBusy] = useState(false)
  const sending: Sending = useCode(
    to => api.mobileCode({ old: null, mobile: to }),
    failure => setFault({ field: sending.sent ? 'code' : 'mobile', text: failureText(failure) }),
  )
  const sent = sending.sent
  const send = () => {
    if (!looksLikeNumber(mobile)) return setFault({ field: 'mobile', text: t('error.wrong_number') })
    setFault(null)
    setCode('')
    sending.ask(mobile)
  }
  const ready = passwordGood(password) && (me.mobile !== null || code.length === 6)
  const save = () => {
    if (busy || !ready) return
    setBusy(true)
    setFault(null)
    api.complete({ bind: me.mobile === null && sent ? { mobile: sent.to, code } : null, nickname: nickname.trim() || null, password }).then(
      done => {
        setBusy(false)
        onDone(done)
      },
      (failure: unknown) => {
        setBusy(false)
        setFault({ field: placeOf(failure), text: failureText(failure) })
      },
    )
  }
  if (me.mobile === null && !sent) {
    return (
      <Card title={t('complete.title')} lead={t('complete.lead')} test="complete" onSubmit={send}>
        <Steps at={1} />
        <Field id="mobile" label={t('mobile.label')} type="tel" value={mobile} autocomplete="tel" error={faultOf(fault, 'mobile')} onInput={setMobile} hint={t('mobile.use')} autofocus />
        <Submit test="send-code" busy={sending.busy}>
          {t('code.send')}
        </Submit>
      </Card>
    )
  }
  return (
    <Card title={t('complete.title')} lead={sent ? t('code.sent', { number: sent.to }) : t('complete.lead.again')} test="complete" onSubmit={save}>
      {sent ? <Steps at={2} /> : null}
      {sent ? (
        <CodeField value={code} error={faultOf(fault, 'code')} again={sent.again} onInput={setCode} onResend={send} onOther={() => (sending.forget(), setFault(null))} autofocus />
      ) : null}
      <Field id="nickname" label={t('complete.nickname')} type="text" value={nickname} autocomplete="nickname" error={faultOf(fault, 'nickname')} onInput={setNickname} hint={t('complete.nickname.hint')} most={LONGEST} />
      <Field id="new-password" label={t('password.new')} type="password" value={password} autocomplete="new-password" error={faultOf(fault, 'password')} onInput={setPassword} autofocus={me.mobile !== null} />
      <Rules password={password} />
      <Submit test="save-account" busy={busy} disabled={!ready}>
        {t('complete.save')}
      </Submit>
    </Card>
  )
}

function placeOf(failure: unknown): 'code' | 'nickname' | 'password' {
  const code = failure instanceof ApiFailure ? failure.code : ''
  if (code === 'wrong_code' || code === 'code_burned' || code === 'wrong_number') return 'code'
  return code === 'invalid' ? 'nickname' : 'password'
}

function Steps({ at }: { at: 1 | 2 }) {
  return (
    <div class="stages" aria-hidden="true">
      <b>{t('mobile.label')}</b>
      <i class={at === 2 ? 'on' : undefined} />
      {at === 2 ? <b>{t('complete.step')}</b> : <span>{t('complete.step')}</span>}
    </div>
  )
}
