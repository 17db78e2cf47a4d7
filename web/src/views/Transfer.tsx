import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { ConsultTarget, SessionView, TargetsView, TransferTarget } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon } from '../components/Icon'
import { LONGEST_SEARCH, useTargets } from '../components/liveTargets'
import { More } from '../components/More'
import { Button, Glyph, initials, looks, refusalText } from '../components/parts'
import { isPending } from '../state/select'
import { agentsFound, chosenTarget, groupsFound, isAnswer, nextChoice, reachable, sameTarget } from '../state/targets'
import type { Picker, State } from '../state/state'

/** Of a number with all its layout. */
const LONGEST = 64
const lists: { [purpose in Picker['purpose']]: Picker['list'][] } = { transfer: ['groups', 'agents'], consult: ['groups', 'agents', 'number'] }

interface Props {
  state: State
  session: SessionView
  picker: Picker
  usable: boolean
}

/** Whom to send the customer to (D4), or to ask (D5): stands below the call, whose controls stay where they are. */
export function Transfer({ state, session, picker, usable }: Props) {
  const station = useStation()
  const field = useRef<HTMLInputElement>(null)
  const box = useRef<HTMLElement>(null)
  const { targets } = state
  const { purpose, list } = picker
  useTargets(field, list === 'number' ? '' : picker.search)
  const chosen = targets && chosenTarget(picker, targets)
  const key = chosen ? domId(chosen) : undefined
  useEffect(() => {
    const row = key && box.current ? box.current.querySelector('[aria-selected="true"]') : null
    if (row) row.scrollIntoView({ block: 'nearest' })
  }, [key])
  const number = list === 'number' ? picker.search.trim() : ''
  const name = list === 'number' ? number || null : targets && chosen ? targetName(targets, chosen) : null
  const whom: ConsultTarget | null = number ? { type: 'number', to: number, callerId: null } : chosen
  const asked = purpose === 'transfer' ? transferring(state, session) : isPending(state, 'consult')
  const pick = (change: Partial<Picker>) => station.pick({ ...picker, ...change })
  const start = () => {
    if (!usable || asked) return
    if (purpose === 'consult' && whom) void station.ask({ type: 'consult', call: session.call, with: whom })
    else if (purpose === 'transfer' && chosen) void station.ask({ type: 'transfer', call: session.call, to: chosen })
    else return
    // A refusal may take the button away: arrows go on from the search.
    if (field.current) field.current.focus()
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return
    if (event.key === 'Enter') start()
    else if (targets && list !== 'number' && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      pick({ chosen: nextChoice(picker, targets, event.key === 'ArrowDown' ? 1 : -1) })
    } else return
    event.preventDefault()
  }
  const rows = list === 'groups' ? groupRows(state, picker, pick) : list === 'agents' ? agentRows(state, picker, pick) : []
  return (
    <section class="panel" aria-label={t(`${purpose}.title`)} data-test="picker" data-purpose={purpose} ref={box}>
      <div class="split panel__head">
        <h2 class="t4 nowrap">{t(`${purpose}.title`)}</h2>
        <div class="seg" role="group" aria-label={t('transfer.lists')}>
          {lists[purpose].map(each => (
            <button
              type="button"
              key={each}
              data-test={`list-${each}`}
              aria-pressed={list === each ? 'true' : 'false'}
              // A number is no name to search for.
              onClick={() => pick({ list: each, chosen: null, search: (each === 'number') === (list === 'number') ? picker.search : '' })}
            >
              {t(`transfer.${each}`)}
            </button>
          ))}
        </div>
      </div>
      {list === 'number' ? (
        <div class="field panel__search panel__number">
          <label for="consult-number">{t('consult.number')}</label>
          <input
            class="in num"
            id="consult-number"
            type="tel"
            autoComplete="off"
            maxLength={LONGEST}
            aria-describedby="consult-number-hint"
            data-test="consult-number"
            ref={field}
            value={picker.search}
            onInput={event => pick({ search: event.currentTarget.value })}
            onKeyDown={onKey}
          />
          <span class="hint" id="consult-number-hint">
            {t('consult.number.hint')}
          </span>
        </div>
      ) : (
        <>
          <div class="panel__search">
            <label class="search">
              <span class="sr">{t(`transfer.search.${list}`)}</span>
              <Icon name="search" />
              <input
                class="in"
                type="text"
                role="combobox"
                aria-autocomplete="list"
                aria-expanded={rows.length > 0 ? 'true' : 'false'}
                aria-controls={rows.length > 0 ? 'transfer-list' : undefined}
                aria-activedescendant={key}
                aria-describedby={list === 'agents' ? 'transfer-more' : undefined}
                autocomplete="off"
                spellcheck={false}
                maxLength={LONGEST_SEARCH}
                placeholder={t(`transfer.search.${list}`)}
                data-test="target-search"
                ref={field}
                value={picker.search}
                onInput={event => pick({ search: event.currentTarget.value })}
                onKeyDown={onKey}
              />
            </label>
          </div>
          <div class={list === 'groups' ? 'pick pick--head pick--group' : 'pick pick--head'} aria-hidden="true">
            {list === 'groups' ? null : <span />}
            <span>{t(list === 'groups' ? 'transfer.group' : 'transfer.agent')}</span>
            {list === 'groups' ? null : <span>{t('transfer.group')}</span>}
            <span>{t(list === 'groups' ? 'transfer.now' : 'transfer.state')}</span>
          </div>
          {rows.length > 0 ? (
            <div class="scroll panel__list" role="listbox" id="transfer-list" aria-label={t(`transfer.${list}`)} tabIndex={-1}>
              {rows}
            </div>
          ) : (
            <p class="dim panel__list panel__none" role="status" data-test="no-targets">
              {!isAnswer(targets, picker.search)
                ? t('app.loading')
                : picker.search.trim()
                  ? t(`transfer.nothing.${list}`, { search: picker.search.trim() })
                  : t(`transfer.none.${list}`)}
            </p>
          )}
          {list === 'agents' ? <More id="transfer-more" targets={targets} search={picker.search} /> : null}
        </>
      )}
      <div class="panel__foot">
        <Lead state={state} purpose={purpose} chosen={chosen} name={name} asked={asked} />
        <Button kind="quiet" test="transfer-cancel" onClick={() => station.pick(null)}>
          {t(asked ? 'toast.close' : 'transfer.cancel')}
        </Button>
        <Button kind="primary" icon={purpose} test={`${purpose}-start`} busy={asked} disabled={!usable || (!whom && !asked)} onClick={start}>
          {name === null ? t(`${purpose}.start`) : t(`${purpose}.start.to`, { name })}
        </Button>
      </div>
    </section>
  )
}

/** Whether the target of a transfer is being asked. */
export function transferring(state: State, session: SessionView): boolean {
  return session.transfer === 'asked' || isPending(state, 'transfer')
}

interface LeadProps {
  state: State
  purpose: Picker['purpose']
  chosen: TransferTarget | null
  name: string | null
  asked: boolean
}

/** What follows from the choice; or why the last one came to nothing. */
function Lead({ state, purpose, chosen, name, asked }: LeadProps) {
  const { refusal } = state
  const refused = refusal && refusal.ask === purpose ? refusal : null
  const says =
    purpose === 'consult'
      ? name === null ? t('consult.lead') : t('consult.lead.chosen', { name })
      : asked ? t('transfer.asked') : chosen && name !== null ? t(`transfer.lead.${chosen.type}`, { name }) : t('transfer.lead')
  return (
    <p class={refused ? 'lead lead--refused t2' : 'lead t2 dim'} role="status" data-test="transfer-lead" data-refused={refused ? refused.code : undefined}>
      {refused ? <Icon name="info" size="s" /> : null}
      <span>{refused ? refusalText(refused) : says}</span>
    </p>
  )
}

function targetName(targets: TargetsView, target: TransferTarget): string | null {
  const known: { id: number; name: string }[] = target.type === 'group' ? targets.groups : targets.agents
  const named = known.find(each => each.id === target.id)
  return named ? named.name : null
}

function groupRows(state: State, picker: Picker, pick: (change: Partial<Picker>) => void) {
  if (!state.targets) return []
  return groupsFound(state.targets, picker.search).map(group => (
    <Row key={group.id} target={{ type: 'group', id: group.id }} picker={picker} pick={pick} name={group.name}>
      <b class="name med cut">{group.name}</b>
      {group.idle > 0 ? (
        <span class="state" data-st="available">
          <Glyph state="available" />
          <span class="num">{t('transfer.idle', { count: group.idle })}</span>
        </span>
      ) : (
        <span class="faint cut">{t(group.staffed ? `${picker.purpose}.idle.none` : 'transfer.idle.away')}</span>
      )}
    </Row>
  ))
}

function agentRows(state: State, picker: Picker, pick: (change: Partial<Picker>) => void) {
  if (!state.targets) return []
  return agentsFound(state.targets, picker.search).map(({ agent, groups }) => (
    <Row key={agent.id} target={{ type: 'agent', id: agent.id }} picker={picker} pick={pick} name={agent.number} away={!reachable(agent)}>
      <span class="av">{initials(agent.name)}</span>
      <span class="v v--0">
        <b class="name med cut">{agent.name}</b>
        <span class="t2 faint cut num" title={`${agent.number} · ${agent.email}`}>
          {agent.number} · {agent.email}
        </span>
      </span>
      <span class="cut dim" title={groups.join(', ')}>
        {groups.join(', ')}
      </span>
      <span class="state" data-st={looks[agent.state]}>
        <Glyph state={agent.state} />
        {t(`state.${agent.state}`)}
      </span>
    </Row>
  ))
}

interface RowProps {
  target: TransferTarget
  picker: Picker
  pick(change: Partial<Picker>): void
  /** For tests: the group's name, the agent's number. */
  name: string
  away?: boolean
  children: ComponentChildren
}

function Row({ target, picker, pick, name, away, children }: RowProps) {
  return (
    <div
      class={target.type === 'group' ? 'pick pick--group' : 'pick'}
      role="option"
      id={domId(target)}
      data-test={`target-${target.type}`}
      data-name={name}
      aria-selected={!away && sameTarget(target, picker.chosen) ? 'true' : 'false'}
      aria-disabled={away ? 'true' : undefined}
      // The search keeps the focus: arrows go on from the row that was clicked.
      onMouseDown={event => event.preventDefault()}
      onClick={() => {
        if (!away) pick({ chosen: target })
      }}
    >
      {children}
    </div>
  )
}

function domId(target: TransferTarget) {
  return `target-${target.type}-${target.id}`
}
