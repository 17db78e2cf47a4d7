import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Hello, Me } from './generated/wire'
import { StationProvider } from './components/context'
import { Guard } from './components/Guard'
import { Sprite } from './components/Icon'
import { onLanguage, t, type Key } from './i18n'
import { api, ApiFailure } from './services/http'
import { Workstation } from './services/workstation'
import { createStore } from './state/store'
import { Complete } from './views/Complete'
import { Desk, Waiting } from './views/Desk'
import { Entrance, Login, PasswordForm } from './views/Login'
import { MobileForm, Profile } from './views/Profile'

/** Who is at the page. */
type Person =
  | { is: 'unknown' }
  /** The switch did not answer the first question. */
  | { is: 'unreachable' }
  /** `email` of the account that was here until now. */
  | { is: 'nobody'; notice: Key | null; email: string }
  /** Logged in with a one-time password: the account is to be completed. */
  | { is: 'newcomer'; me: Me }
  | { is: 'agent' }

const notices = { wanted: 'login.left', ended: 'login.ended', takenOver: 'login.takenOver' } as const
const ASK_AGAIN = 3000

export function App() {
  const [person, setPerson] = useState<Person>({ is: 'unknown' })
  const [hello, setHello] = useState<Hello | null>(null)
  const [, redraw] = useState(0)
  const page = usePage()
  const store = useMemo(() => createStore(), [])
  const station = useMemo(() => new Workstation(store, (why, email) => setPerson({ is: 'nobody', notice: notices[why], email })), [store])

  const arrived = (me: Me) => setPerson(me.mustChangePassword ? { is: 'newcomer', me } : { is: 'agent' })
  useEffect(() => onLanguage(() => redraw(n => n + 1)), [])
  useEffect(() => {
    let timer = 0
    const ask = () => {
      api.me().then(
        arrived,
        (error: unknown) => {
          if (error instanceof ApiFailure && error.status === 401) return setPerson({ is: 'nobody', notice: error.code === 'taken_over' ? 'login.takenOver' : null, email: '' })
          setPerson({ is: 'unreachable' })
          timer = window.setTimeout(ask, ASK_AGAIN)
        },
      )
    }
    ask()
    return () => clearTimeout(timer)
  }, [])
  // Whatever page is open: a call that rings must be seen.
  useEffect(
    () =>
      store.subscribe(state => {
        if (state.desk && state.desk.offer && readPage() in aside) location.hash = '#/'
      }),
    [store],
  )
  useEffect(() => {
    if (person.is === 'agent') station.start()
    if (person.is === 'nobody' && hello === null) api.hello().then(setHello, () => undefined)
  }, [person.is])

  return (
    <StationProvider value={station}>
      <Sprite />
      <Guard>{view()}</Guard>
    </StationProvider>
  )

  function view() {
    const version = hello ? hello.version : null
    switch (person.is) {
      case 'unknown':
        return <Waiting />
      case 'unreachable':
        return (
          <div class="waiting" role="alert">
            <p class="dim">{t('app.unreachable')}</p>
          </div>
        )
      case 'nobody':
        return (
          <Entrance version={version}>
            <Login notice={person.notice} account={person.email} onLogin={arrived} />
          </Entrance>
        )
      case 'newcomer':
        return (
          <Entrance version={version}>
            <Complete me={person.me} onDone={arrived} />
          </Entrance>
        )
      case 'agent':
        if (page === 'workstation' || page === 'records' || page === 'management' || page === 'device-check') return <Desk store={store} page={page} />
        return <Entrance version={version}>{own(page)}</Entrance>
    }
  }

  /** The pages about oneself. */
  function own(place: 'profile' | 'password' | 'mobile') {
    const back = () => (location.hash = '#/profile')
    const done = (text: string) => {
      location.hash = '#/'
      station.toast(text)
    }
    switch (place) {
      case 'profile':
        return <Profile onBack={() => (location.hash = '#/')} />
      case 'password':
        return <PasswordForm onBack={back} onDone={() => done(t('password.done'))} />
      case 'mobile':
        return <MobileForm onBack={back} onDone={() => done(t('mobile.done'))} />
    }
  }
}

type Place = 'workstation' | 'records' | 'management' | 'device-check' | 'profile' | 'password' | 'mobile'

/** Away from where calls are answered. */
const aside = { profile: true, password: true, mobile: true }

function readPage(): Place {
  const place = location.hash.slice(2)
  return place === 'records' || place === 'management' || place === 'device-check' || place === 'profile' || place === 'password' || place === 'mobile' ? place : 'workstation'
}

function usePage(): Place {
  const [page, setPage] = useState(readPage())
  useEffect(() => {
    const read = () => setPage(readPage())
    window.addEventListener('hashchange', read)
    return () => window.removeEventListener('hashchange', read)
  }, [])
  return page
}
