import { useEffect, useRef, useState } from 'preact/hooks'
import type { Me } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { failureText } from '../components/failure'
import { Card, CodeField, faultOf, Field, Submit, type Fault } from '../components/form'
import { Icon } from '../components/Icon'
import { Button, Face } from '../components/parts'
import { looksLikeNumber, useCode, type Sending } from '../services/code'
import { api, ApiFailure } from '../services/http'
import { portrait } from '../services/portrait'

/** Who the agent is here, and the ways to change it (A7). */
export function Profile({ onBack }: { onBack(): void }) {
  const station = useStation()
  const { me, failed, again, setMe } = useMe()
  if (!me) return <Missing failed={failed} again={again} onBack={onBack} />
  const changed = (to: Me) => {
    setMe(to)
    station.meChanged(to)
  }
  return (
    <section class="card" data-test="profile">
      <div class="profile__me">
        <Face me={me} size="xl" />
        <div class="v v--0">
          <h1 class="t6 semi cut">{me.name}</h1>
          <p class="dim">{t(`menu.${me.role}`, { number: me.number })}</p>
        </div>
      </div>
      <Picture me={me} onChanged={changed} />
      <dl class="profile">
        <dt>{t('login.email')}</dt>
        <dd class="cut">{me.email}</dd>
        <dt>{t('profile.nickname')}</dt>
        <dd>
          <Nickname me={me} onChanged={changed} />
        </dd>
        <dt>{t('mobile.label')}</dt>
        <dd class="split">
          <span class="num" data-test="profile-mobile">
            {me.mobile || '–'}
          </span>
          <a class="btn btn--s" href="#/mobile" data-test="change-mobile">
            {t(me.mobile ? 'profile.change' : 'profile.bind')}
          </a>
        </dd>
        <dt>{t('login.password')}</dt>
        <dd class="split">
          <span aria-hidden="true">••••••••</span>
          <a class="btn btn--s" href="#/password">
            {t('profile.change')}
          </a>
        </dd>
      </dl>
      <button type="button" class="btn btn--quiet btn--block" data-test="back" onClick={onBack}>
        {t('profile.back')}
      </button>
    </section>
  )
}

/** The picture that stands in the top bar: taken to a small square in the browser, kept by the switch. */
function Picture({ me, onChanged }: { me: Me; onChanged(me: Me): void }) {
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const settle = (work: Promise<Me>) => {
    setBusy(true)
    setFault(null)
    work.then(onChanged, (failure: unknown) => setFault(failure instanceof ApiFailure ? failureText(failure) : t('profile.picture.unreadable'))).then(() => setBusy(false))
  }
  const take = (file: File | undefined) => {
    if (file) settle(portrait(file).then(image => api.avatar(image)))
    if (input.current) input.current.value = ''
  }
  return (
    <div class="v">
      <div class="h">
        <Button size="s" icon="user" test="change-picture" busy={busy} onClick={() => input.current && input.current.click()}>
          {t(me.avatar ? 'profile.picture.change' : 'profile.picture.add')}
        </Button>
        {me.avatar ? (
          <Button size="s" kind="quiet" icon="trash" test="remove-picture" onClick={() => settle(api.avatar(null))}>
            {t('profile.picture.remove')}
          </Button>
        ) : null}
        <input ref={input} type="file" hidden accept="image/png,image/jpeg,image/webp" data-test="picture-file" aria-label={t('profile.picture.add')} onChange={event => take((event.currentTarget.files || [])[0])} />
      </div>
      {fault ? (
        <p class="notice notice--bad t2" role="alert" data-test="picture-fault">
          <Icon name="alert" />
          <span>{fault}</span>
        </p>
      ) : (
        <p class="t2 faint">{t('profile.picture.hint')}</p>
      )}
    </div>
  )
}

/** What customers are told in place of the name. */
function Nickname({ me, onChanged }: { me: Me; onChanged(me: Me): void }) {
  const [text, setText] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  if (text === null) {
    return (
      <span class="split">
        <span class="cut" data-test="profile-nickname">
          {me.nickname || '–'}
        </span>
        <Button size="s" test="change-nickname" onClick={() => setText(me.nickname || '')}>
          {t('profile.change')}
        </Button>
      </span>
    )
  }
  const save = () => {
    if (busy) return
    setBusy(true)
    setFault(null)
    api.profile({ nickname: text }).then(
      to => {
        setBusy(false)
        setText(null)
        onChanged(to)
      },
      (failure: unknown) => {
        setBusy(false)
        setFault(failureText(failure))
      },
    )
  }
  return (
    <form
      class="profile__edit"
      onSubmit={event => {
        event.preventDefault()
        save()
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.isComposing) setText(null)
      }}
    >
      <input class="in" aria-label={t('profile.nickname')} data-test="nickname" value={text} maxLength={20} autoComplete="nickname" aria-invalid={fault ? 'true' : undefined} onInput={event => setText(event.currentTarget.value)} />
      <button type="submit" class="btn btn--primary btn--s" data-test="save-nickname" aria-busy={busy ? 'true' : undefined}>
        <span>{t('customer.save')}</span>
      </button>
      {fault ? (
        <p class="t2 profile__fault" role="alert">
          {fault}
        </p>
      ) : null}
    </form>
  )
}

/** Another number (A7): the old one, the new one, and the code that the new one got. */
export function MobileForm({ onDone, onBack }: { onDone(): void; onBack(): void }) {
  const { me, failed, again } = useMe()
  const [old, setOld] = useState('')
  const [mobile, setMobile] = useState('')
  const [code, setCode] = useState('')
  const [fault, setFault] = useState<Fault<'old' | 'mobile' | 'code'> | null>(null)
  const [busy, setBusy] = useState(false)
  const present = me && me.mobile !== null ? old : null
  const refused = (failure: unknown, otherwise: 'mobile' | 'code') => {
    const wrongOld = failure instanceof ApiFailure && failure.code === 'wrong_old_number'
    if (wrongOld) sending.forget()
    setFault({ field: wrongOld ? 'old' : otherwise, text: failureText(failure) })
  }
  const sending: Sending = useCode(
    to => api.mobileCode({ old: present, mobile: to }),
    failure => refused(failure, sending.sent ? 'code' : 'mobile'),
  )
  if (!me) return <Missing failed={failed} again={again} onBack={onBack} />
  const send = () => {
    if (present !== null && !looksLikeNumber(present)) return setFault({ field: 'old', text: t('error.wrong_number') })
    if (!looksLikeNumber(mobile)) return setFault({ field: 'mobile', text: t('error.wrong_number') })
    setFault(null)
    setCode('')
    sending.ask(mobile)
  }
  const save = () => {
    if (busy || code.length < 6 || !sending.sent) return
    setBusy(true)
    setFault(null)
    api.mobile({ old: present, mobile: sending.sent.to, code }).then(
      () => {
        setBusy(false)
        onDone()
      },
      (failure: unknown) => {
        setBusy(false)
        refused(failure, 'code')
      },
    )
  }
  const back = (
    <button type="button" class="btn btn--quiet btn--block" onClick={onBack}>
      {t('password.back')}
    </button>
  )
  if (sending.sent) {
    return (
      <Card title={t('code.title')} lead={t('code.sent', { number: sending.sent.to })} test="mobile-form" onSubmit={save}>
        <CodeField value={code} error={faultOf(fault, 'code')} again={sending.sent.again} onInput={setCode} onResend={send} autofocus />
        <Submit test="save-mobile" busy={busy} disabled={code.length < 6}>
          {t('mobile.save')}
        </Submit>
        {back}
      </Card>
    )
  }
  return (
    <Card title={t('mobile.title')} lead={t('mobile.use')} test="mobile-form" onSubmit={send}>
      {me.mobile !== null ? (
        <Field id="old-mobile" label={t('mobile.old')} type="tel" value={old} autocomplete="off" error={faultOf(fault, 'old')} onInput={setOld} hint={t('mobile.old.hint', { number: me.mobile })} autofocus />
      ) : null}
      <Field id="mobile" label={t('mobile.new')} type="tel" value={mobile} autocomplete="tel" error={faultOf(fault, 'mobile')} onInput={setMobile} hint={t('mobile.hint')} autofocus={me.mobile === null} />
      <Submit test="send-code" busy={sending.busy}>
        {t('code.send')}
      </Submit>
      {back}
    </Card>
  )
}

function Missing({ failed, again, onBack }: { failed: string | null; again(): void; onBack(): void }) {
  if (failed === null) {
    return (
      <p class="card dim" role="status">
        {t('app.loading')}
      </p>
    )
  }
  return (
    <section class="card" role="alert">
      <p class="notice notice--bad">
        <Icon name="alert" />
        <span>{failed}</span>
      </p>
      <button type="button" class="btn btn--primary btn--l btn--block" onClick={again}>
        <span>{t('profile.again')}</span>
      </button>
      <button type="button" class="btn btn--quiet btn--block" onClick={onBack}>
        {t('profile.back')}
      </button>
    </section>
  )
}

/** The account as the switch has it now. */
function useMe() {
  const [me, setMe] = useState<Me | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const again = () => {
    setFailed(null)
    api.me().then(setMe, (failure: unknown) => setFailed(failureText(failure)))
  }
  useEffect(again, [])
  return { me, failed, again, setMe }
}
