import { useRef, useState } from 'preact/hooks'
import type { TargetAgent } from '../generated/wire'
import { t } from '../i18n'
import { isPending } from '../state/select'
import type { State } from '../state/state'
import { agentsFound, callable, isAnswer } from '../state/targets'
import { useStation } from './context'
import { LONGEST_SEARCH, useTargets } from './liveTargets'
import { Icon } from './Icon'
import { More } from './More'
import { Button, Glyph, initials, looks, refusalText } from './parts'

/** Whom to call among colleagues (E3): found by name, agent id, e-mail or group, with states as they are now. */
export function Colleagues({ state, close }: { state: State; close(): void }) {
  const station = useStation()
  const field = useRef<HTMLInputElement>(null)
  const [search, setSearch] = useState('')
  useTargets(field, search)
  const [picked, setPicked] = useState<number | null>(null)
  const found = state.targets ? agentsFound(state.targets, search) : []
  const at = found.findIndex(({ agent }) => agent.id === picked)
  const chosen = found[at] || null
  const busy = isPending(state, 'callColleague', 'callMobile')
  const choose = (agent: TargetAgent) => {
    station.seen()
    setPicked(agent.id)
  }
  const call = () => {
    if (busy || !chosen || !callable(chosen.agent)) return
    const { id, mobile } = chosen.agent
    void station.ask({ type: mobile ? 'callMobile' : 'callColleague', agent: id }).then(outcome => {
      if (outcome.is === 'done') close()
    })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return
    if (event.key === 'Enter') call()
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = found[(at < 0 && event.key === 'ArrowUp' ? 0 : at) + (event.key === 'ArrowDown' ? 1 : -1)] || found[event.key === 'ArrowDown' ? 0 : found.length - 1]
      if (next) choose(next.agent)
    } else return
    event.preventDefault()
  }
  const refusal = state.refusal && (state.refusal.ask === 'callColleague' || state.refusal.ask === 'callMobile') ? state.refusal : null
  return (
    <div class="colleagues" data-test="colleagues">
      <label class="search">
        <span class="sr">{t('transfer.search.agents')}</span>
        <Icon name="search" />
        <input
          class="in"
          type="text"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={found.length > 0 ? 'true' : 'false'}
          aria-controls={found.length > 0 ? 'colleague-list' : undefined}
          aria-activedescendant={chosen ? domId(chosen.agent) : undefined}
          aria-describedby="colleague-more"
          autocomplete="off"
          spellcheck={false}
          maxLength={LONGEST_SEARCH}
          placeholder={t('transfer.search.agents')}
          data-test="colleague-search"
          ref={field}
          value={search}
          onInput={event => setSearch(event.currentTarget.value)}
          onKeyDown={onKey}
        />
      </label>
      {found.length > 0 ? (
        <div class="scroll colleagues__list" role="listbox" id="colleague-list" aria-label={t('transfer.agents')} tabIndex={-1}>
          {found.map(({ agent, groups }) => (
            <div
              class="pick pick--colleague"
              key={agent.id}
              role="option"
              id={domId(agent)}
              data-test="colleague"
              data-name={agent.number}
              aria-selected={agent.id === picked ? 'true' : 'false'}
              // The search keeps the focus.
              onMouseDown={event => event.preventDefault()}
              onClick={() => choose(agent)}
            >
              <span class="av">{initials(agent.name)}</span>
              <span class="v v--0">
                <b class="name med cut">{agent.name}</b>
                <span class="t2 faint cut num" title={`${agent.email} · ${groups.join(', ')}`}>
                  {agent.number} · {groups.join(', ') || agent.email}
                </span>
              </span>
              <span class="state" data-st={looks[agent.state]}>
                <Glyph state={agent.state} />
                {t(`state.${agent.state}`)}
              </span>
            </div>
          ))}
        </div>
      ) : (
        <p class="dim colleagues__list" role="status">
          {!isAnswer(state.targets, search) ? t('app.loading') : search.trim() ? t('transfer.nothing.agents', { search: search.trim() }) : t('transfer.none.agents')}
        </p>
      )}
      <More id="colleague-more" targets={state.targets} search={search} />
      <p class={refusal ? 't2 lead--refused' : 't2 dim'} role="status" data-test="colleague-lead">
        {refusal ? refusalText(refusal) : chosen ? says(chosen.agent) : t('internal.lead')}
      </p>
      <Button kind="go" size="l" icon="phone" test={chosen && chosen.agent.mobile ? 'call-mobile' : 'call-colleague'} busy={busy} disabled={!chosen || !callable(chosen.agent)} onClick={call}>
        {chosen ? t(chosen.agent.mobile ? 'internal.callMobile' : 'internal.call', { name: chosen.agent.name }) : t('dial.call')}
      </Button>
    </div>
  )
}

/** What a call to this colleague would come to now. */
function says(agent: TargetAgent): string {
  const { name, state } = agent
  if (agent.mobile) return t(state === 'offline' ? 'internal.lead.mobile' : 'internal.lead.mobile.away', { name })
  return state === 'available' || state === 'busy' ? t('internal.lead.free', { name }) : t(`internal.lead.${state}`, { name })
}

function domId(agent: TargetAgent) {
  return `colleague-${agent.id}`
}
