import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ConsultView, SessionView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon } from '../components/Icon'
import { Button, initials } from '../components/parts'
import { Remark } from '../components/Remark'
import { consulting, joined, parts, type Part } from '../state/consult'
import { isPending } from '../state/select'
import type { Desk, State } from '../state/state'

interface Props {
  state: State
  desk: Desk
  session: SessionView
  consult: ConsultView
  usable: boolean
}

/** Three parties and the cords between them (D5): who is heard now, and what the agent can make of it. */
export function Consult({ state, desk, session, consult, usable }: Props) {
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    // The button that was pressed may be gone, or have nothing to do now.
    const active = document.activeElement
    if (panel.current && (active === document.body || (active instanceof HTMLButtonElement && active.disabled))) panel.current.focus()
  }, [consult.reached, consult.side, consult.customerLeft])
  const [customer, agent, third] = parts(session, consult)
  const me = <Plug name={t('consult.you')} mark={initials(desk.me.name)} part={session.guest ? third : agent} />
  const other = <Plug name={consult.whom} mark={markOf(consult.whom)} part={session.guest ? agent : third} />
  return (
    <section
      class="panel consult"
      aria-label={t('consult.label')}
      data-test="consult-panel"
      data-reached={consult.reached}
      data-side={consult.side}
      data-left={String(consult.customerLeft)}
      tabIndex={-1}
      ref={panel}
    >
      {/* The sentence above says the same. */}
      <div class="cords" aria-hidden="true">
        <Plug name={session.callerName || session.caller} mark={session.callerName ? markOf(session.callerName) : null} part={customer} />
        <Cord from={customer} to={agent} />
        {session.guest ? other : me}
        <Cord from={agent} to={third} />
        {session.guest ? me : other}
      </div>
      {consulting(session) ? <Ways state={state} session={session} consult={consult} usable={usable} /> : null}
      {session.guest ? (
        <p class="t2 dim consult__note" data-test="guest">
          {t('consult.guest', { whom: consult.whom })}
        </p>
      ) : null}
      <div class="desknote">
        <Remark state={state} session={session} rows={4} />
      </div>
    </section>
  )
}

function Ways({ state, session, consult, usable }: Omit<Props, 'desk'>) {
  const station = useStation()
  const { call } = session
  const { whom, side } = consult
  const ending = isPending(state, 'endConsult')
  const end = () => void station.ask({ type: 'endConsult', call })
  if (consult.reached !== 'up') {
    return (
      <div class="consult__ways consult__ways--one">
        <Button size="l" icon="x" test="consult-cancel" busy={ending} disabled={!usable} onClick={end}>
          {t('consult.cancel')}
        </Button>
      </div>
    )
  }
  return (
    <>
      <div class="consult__ways">
        <Button size="l" icon="back" test="consult-end" busy={ending} disabled={!usable} title={t('consult.end.title', { whom })} onClick={end}>
          {t('consult.end')}
        </Button>
        <Button
          size="l"
          icon="swap"
          test="swap"
          busy={isPending(state, 'swap')}
          disabled={!usable}
          title={t(side === 'third' ? 'consult.swap.customer' : 'consult.swap.third', { whom })}
          onClick={() => void station.ask({ type: 'swap', call })}
        >
          {t('consult.swap')}
        </Button>
        <Button size="l" icon="join" test="conference" busy={isPending(state, 'conference')} disabled={!usable || side === 'all'} onClick={() => void station.ask({ type: 'conference', call })}>
          {t('consult.conference')}
        </Button>
        <Button
          size="l"
          kind="primary"
          icon="transfer"
          test="consult-complete"
          busy={isPending(state, 'completeConsult')}
          disabled={!usable}
          title={t('consult.complete.title', { whom })}
          onClick={() => void station.ask({ type: 'completeConsult', call })}
        >
          {t('consult.complete')}
        </Button>
      </div>
      <p class="t2 faint consult__note">{t('consult.note')}</p>
    </>
  )
}

/** A number has no initials. */
function markOf(name: string): string | null {
  return /^[\d\s+•()-]*$/.test(name) ? null : initials(name)
}

function Plug({ name, mark, part }: { name: string; mark: string | null; part: Part }) {
  return (
    <div class={joined(part, 'speaks') ? 'plug plug--talk' : 'plug'} data-part={part}>
      <span class="av av--l">{mark === null ? <Icon name="user" size="l" /> : mark}</span>
      <b class="med cut num" title={name}>
        {name}
      </b>
      <span class="t2 dim h h--1">
        {part === 'waits' ? <Icon name="music" size="s" /> : part === 'muted' ? <Icon name="micoff" size="s" /> : null}
        <span>{t(`consult.part.${part}`)}</span>
      </span>
    </div>
  )
}

function Cord({ from, to }: { from: Part; to: Part }) {
  const gone = from === 'left' || to === 'left'
  return (
    <svg class={gone ? 'cord cord--gone' : joined(from, to) ? 'cord cord--talk' : 'cord cord--held'} viewBox="0 0 64 40" preserveAspectRatio="none">
      <path d="M0 20c20 26 44 26 64 0" />
    </svg>
  )
}
