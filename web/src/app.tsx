import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Hello, Me } from './generated/wire'
import { StationProvider } from './components/context'
import { Guard } from './components/Guard'
import { Sprite } from './components/Icon'
import { onLanguage, t, type Key } from './i18n'
import { api, ApiFailure } from './services/http'
import { Workstation } from './services/workstation'
import { createStore } from './state/store'
import { Desk, Waiting } from './views/Desk'
import { Entrance, LoginForm, PasswordForm } from './views/Login'

/** Who is at the page. */
type Person =
  | { is: 'unknown' }
  /** The switch did not answer the first question. */
  | { is: 'unreachable' }
  /** `email` of the account that was here until now. */
  | { is: 'nobody'; notice: Key | null; email: string }
  /** Logged in with a one-time password; `password` when it was typed just now. */
  | { is: 'newcomer'; password: string | null }
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

  useEffect(() => onLanguage(() => redraw(n => n + 1)), [])
  useEffect(() => {
    let timer = 0
    const ask = () => {
      api.me().then(
        me => setPerson(me.mustChangePassword ? { is: 'newcomer', password: null } : { is: 'agent' }),
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
        if (state.desk && state.desk.offer && readPage() === 'password') location.hash = '#/'
      }),
    [store],
  )
  useEffect(() => {
    if (person.is === 'agent') station.start()
    if (person.is === 'nobody' && hello === null) api.hello().then(setHello, () => undefined)
  }, [person.is])

  const arrived = (me: Me, password: string) => setPerson(me.mustChangePassword ? { is: 'newcomer', password } : { is: 'agent' })
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
            <LoginForm notice={person.notice} account={person.email} onLogin={arrived} />
          </Entrance>
        )
      case 'newcomer':
        return (
          <Entrance version={version}>
            <PasswordForm first old={person.password} onDone={() => setPerson({ is: 'agent' })} onBack={() => undefined} />
          </Entrance>
        )
      case 'agent':
        if (page === 'password') {
          return (
            <Entrance version={version}>
              <PasswordForm
                first={false}
                old={null}
                onBack={() => (location.hash = '#/')}
                onDone={() => {
                  location.hash = '#/'
                  station.toast(t('password.done'))
                }}
              />
            </Entrance>
          )
        }
        return <Desk store={store} page={page} />
    }
  }
}

type Place = 'workstation' | 'records' | 'password'

function readPage(): Place {
  if (location.hash === '#/records') return 'records'
  return location.hash === '#/password' ? 'password' : 'workstation'
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
