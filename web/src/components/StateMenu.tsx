import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ChosenState } from '../generated/wire'
import { language, languages, setLanguage, t } from '../i18n'
import { setTheme, theme, type Theme } from '../services/theme'
import { liveSession } from '../state/select'
import type { Desk } from '../state/state'
import { useStation } from './context'
import { Icon } from './Icon'
import { Button, Face, Glyph, looks } from './parts'
import { Since } from './TopBar'

interface Props {
  desk: Desk
  offset: number
  choose(state: ChosenState, reason: string | null): void
  close(): void
}

const themes: Theme[] = ['auto', 'light', 'dark']

export function StateMenu({ desk, offset, choose, close }: Props) {
  const station = useStation()
  const { agent, me } = desk
  const menu = useRef<HTMLDivElement>(null)
  const [, redraw] = useState(0)
  useLayoutEffect(() => {
    const first = menu.current && menu.current.querySelector<HTMLElement>('[aria-pressed="true"], .item')
    if (first) first.focus()
  }, [])
  const during = agent.state === 'inLine' || agent.state === 'afterCallWork'
  const chosen = during ? agent.then : agent.state
  return (
    <div class="pop menu statemenu" role="dialog" aria-label={t('menu.label')} ref={menu} onKeyDown={walk}>
      <div class="statemenu__me">
        <Face me={me} size="l" />
        <span class="v v--0">
          <b class="t4 semi cut">{me.name}</b>
          <span class="t2 dim cut">{t(`menu.${me.role}`, { number: me.number })}</span>
        </span>
      </div>
      <hr class="rule" />
      <div role="group" aria-label={t(during ? 'menu.after' : 'menu.state')}>
        {during ? <p class="cap statemenu__after">{t('menu.after')}</p> : null}
        <StateItem state="available" chosen={chosen} choose={() => choose('available', null)}>
          {chosen === 'available' && !during ? <Since agent={agent} offset={offset} /> : null}
        </StateItem>
        <StateItem state="busy" chosen={chosen} choose={() => choose('busy', null)}>
          <span class="t2 faint">{t('menu.busy.hint')}</span>
        </StateItem>
        {desk.settings.breakReasons.length > 0 ? (
          <StateItem state="onBreak" chosen={chosen} choose={() => choose('onBreak', desk.settings.breakReasons[0] || null)} />
        ) : null}
        {desk.settings.breakReasons.length > 0 ? (
          <div class="statemenu__reasons">
            <div class="chips" role="group" aria-label={t('menu.reasons')}>
              {desk.settings.breakReasons.map(reason => (
                <button
                  type="button"
                  class="chip"
                  key={reason}
                  data-test={`reason-${reason}`}
                  aria-pressed={agent.state === 'onBreak' && agent.reason === reason ? 'true' : 'false'}
                  onClick={() => choose('onBreak', reason)}
                >
                  {reason}
                </button>
              ))}
            </div>
          </div>
        ) : null}
        <StateItem state="offline" chosen={chosen} choose={() => choose('offline', null)}>
          <span class="t2 faint">{t('menu.offline.hint')}</span>
        </StateItem>
      </div>
      <hr class="rule" />
      <div role="group" aria-label={t('menu.mobile')}>
        <Switch icon="phone" test="mobile-answering" on={agent.mobileAnswering} able={me.mobile !== null} onClick={() => void station.switchMobile({ answering: !agent.mobileAnswering, outbound: null })}>
          {t('menu.mobile.answering')}
        </Switch>
        <Switch icon="out" test="mobile-outbound" on={agent.mobileOutbound} able={me.mobile !== null} onClick={() => void station.switchMobile({ answering: null, outbound: !agent.mobileOutbound })}>
          {t('menu.mobile.outbound')}
        </Switch>
        {me.mobile === null ? (
          <p class="t2 faint statemenu__after" data-test="mobile-none">
            {t('menu.mobile.none')} <a href="#/mobile" onClick={close}>{t('profile.bind')}</a>
          </p>
        ) : null}
      </div>
      <hr class="rule" />
      <Row icon="globe" label={t('menu.language')}>
        {languages.map(each => (
          <button type="button" key={each.id} lang={each.id} aria-pressed={language() === each.id ? 'true' : 'false'} onClick={() => setLanguage(each.id)}>
            {each.name}
          </button>
        ))}
      </Row>
      <Row icon="moon" label={t('menu.theme')}>
        {themes.map(each => (
          <button
            type="button"
            key={each}
            aria-pressed={theme() === each ? 'true' : 'false'}
            onClick={() => {
              setTheme(each)
              redraw(n => n + 1)
            }}
          >
            {t(`menu.theme.${each}`)}
          </button>
        ))}
      </Row>
      <hr class="rule" />
      <Item icon="keypad" onClick={() => (close(), void window.dispatchEvent(new Event('cordboard:shortcuts')))}>
        {t('menu.shortcuts')}
      </Item>
      <Item icon="mic" test="device-check-link" onClick={() => (close(), void (location.hash = '#/device-check'))}>
        {t('menu.devices')}
      </Item>
      <Item icon="user" test="profile-link" onClick={() => (close(), void (location.hash = '#/profile'))}>
        {t('menu.profile')}
      </Item>
      <Item icon="lock" test="change-password" onClick={() => (close(), void (location.hash = '#/password'))}>
        {t('menu.password')}
      </Item>
      <LogOut desk={desk} close={close} />
    </div>
  )
}

/** In a call the agent says what becomes of it (A9). */
function LogOut({ desk, close }: { desk: Desk; close(): void }) {
  const station = useStation()
  const [asking, setAsking] = useState(false)
  const first = useRef<HTMLDivElement>(null)
  const calling = liveSession(desk) !== null
  useLayoutEffect(() => {
    const button = first.current && first.current.querySelector('button')
    if (asking && button) button.focus()
  }, [asking])
  const leave = (endCall: boolean) => (close(), void station.logOut(endCall))
  if (!asking || !calling) {
    return (
      <Item icon="logout" test="log-out" onClick={() => (calling ? setAsking(true) : leave(false))}>
        {t('menu.logout')}
      </Item>
    )
  }
  return (
    <div class="statemenu__leave" role="group" aria-label={t('menu.logout')} ref={first}>
      <p class="t2">{t('menu.logout.call')}</p>
      <Button size="s" test="log-out-after" onClick={() => leave(false)}>
        {t('menu.logout.after')}
      </Button>
      <Button size="s" kind="stop" test="log-out-now" onClick={() => leave(true)}>
        {t('menu.logout.now')}
      </Button>
    </div>
  )
}

interface StateItemProps {
  state: ChosenState
  chosen: string | null
  choose(): void
  children?: ComponentChildren
}

function StateItem({ state, chosen, choose, children }: StateItemProps) {
  return (
    <button
      type="button"
      class="item"
      data-test={`state-${state}`}
      data-st={looks[state]}
      aria-pressed={chosen === state ? 'true' : 'false'}
      onClick={choose}
    >
      <span class="item__in">
        <Glyph state={state} />
        <span class={chosen === state ? 'semi cut' : 'cut'}>{t(`state.${state}`)}</span>
        <span class="dim">{children}</span>
      </span>
    </button>
  )
}

interface SwitchProps {
  icon: 'phone' | 'out'
  test: string
  on: boolean
  able: boolean
  onClick(): void
  children: ComponentChildren
}

/** Something that is on or off at once (C7, E2). */
function Switch({ icon, test, on, able, onClick, children }: SwitchProps) {
  return (
    <button type="button" class="item" role="switch" data-test={test} aria-checked={on ? 'true' : 'false'} disabled={!able} onClick={onClick}>
      <span class="item__in">
        <Icon name={icon} />
        <span class="cut">{children}</span>
        <span class="toggle" aria-hidden="true" />
      </span>
    </button>
  )
}

interface ItemProps {
  icon: 'user' | 'lock' | 'logout' | 'keypad' | 'mic'
  test?: string
  onClick(): void
  children: ComponentChildren
}

function Item({ icon, test, onClick, children }: ItemProps) {
  return (
    <button type="button" class="item" data-test={test} onClick={onClick}>
      <span class="item__in">
        <Icon name={icon} />
        <span class="cut">{children}</span>
      </span>
    </button>
  )
}

function Row({ icon, label, children }: { icon: 'globe' | 'moon'; label: string; children: ComponentChildren }) {
  return (
    <div class="item item--row">
      <span class="item__in">
        <Icon name={icon} />
        <span class="cut">{label}</span>
        <span class="seg seg--s" role="group" aria-label={label}>
          {children}
        </span>
      </span>
    </div>
  )
}

/** Arrows walk through the menu. */
function walk(event: KeyboardEvent) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
  const menu = event.currentTarget as HTMLElement
  const stops = Array.prototype.slice.call(menu.querySelectorAll('button')) as HTMLElement[]
  const at = stops.indexOf(document.activeElement as HTMLElement)
  const next = stops[(at + (event.key === 'ArrowDown' ? 1 : stops.length - 1)) % stops.length]
  if (next) next.focus()
  event.preventDefault()
}
