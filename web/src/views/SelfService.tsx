import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { FlowResultView, FlowView, SelfServiceView, SessionView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { failureText } from '../components/failure'
import { Button } from '../components/parts'
import { Remark } from '../components/Remark'
import { api } from '../services/http'
import { isPending } from '../state/select'
import type { State } from '../state/state'

/** The flows that the agent may start (D6): stands below the call, as the picker of a transfer. */
export function FlowPicker({ state, session, usable }: { state: State; session: SessionView; usable: boolean }) {
  const station = useStation()
  const [flows, setFlows] = useState<FlowView[] | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    let here = true
    if (panel.current) panel.current.focus()
    api.flows().then(
      all => here && setFlows(all.filter(flow => flow.enabled)),
      error => here && setFailed(failureText(error)),
    )
    return () => {
      here = false
    }
  }, [])
  return (
    <section class="panel service" aria-label={t('service.title')} data-test="flow-picker" tabIndex={-1} ref={panel}>
      <div class="panel__head">
        <h2 class="t4">{t('service.title')}</h2>
        <p class="dim">{t('service.lead')}</p>
      </div>
      {failed !== null ? (
        <p class="panel__none" role="alert">
          {failed}
        </p>
      ) : flows === null ? (
        <p class="panel__none sr" role="status">
          {t('service.loading')}
        </p>
      ) : flows.length === 0 ? (
        <p class="panel__none dim" data-test="no-flows">
          {t('service.none')}
        </p>
      ) : (
        <ul class="panel__list scroll">
          {flows.map(flow => (
            <li key={flow.id} class="flowrow">
              <span class="med cut" title={flow.name}>
                {flow.name}
              </span>
              <Button
                size="s"
                icon="play"
                test="start-flow"
                title={t('service.start.it', { flow: flow.name })}
                busy={isPending(state, 'startFlow')}
                disabled={!usable}
                onClick={() => void station.ask({ type: 'startFlow', call: session.call, flow: flow.id })}
              >
                {t('service.start')}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** The customer in the flow: where, what was pressed, what came of it. */
export function FlowProgress({ state, session, service, usable }: { state: State; session: SessionView; service: SelfServiceView; usable: boolean }) {
  const station = useStation()
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    if (panel.current) panel.current.focus()
  }, [])
  return (
    <section class="panel service" aria-label={t('service.title')} data-test="flow-progress" tabIndex={-1} ref={panel}>
      <div class="service__now">
        <div class="v v--0">
          <span class="cap">{service.flow}</span>
          <p class="t5 cut" data-test="flow-step" aria-live="polite">
            {service.step}
          </p>
        </div>
        <Button kind="primary" icon="back" test="end-flow" busy={isPending(state, 'endFlow')} disabled={!usable} onClick={() => void station.ask({ type: 'endFlow', call: session.call })}>
          {t('service.back')}
        </Button>
      </div>
      <div class="service__told">
        <div class="v v--0">
          <span class="cap" id="flow-keys">
            {t('service.keys')}
          </span>
          <output class="service__keys num" aria-labelledby="flow-keys" aria-live="polite" data-test="flow-keys">
            {service.keys || <span class="faint">–</span>}
          </output>
        </div>
        <div class="v v--0">
          <span class="cap">{t('service.results')}</span>
          {service.results.length > 0 ? <Results results={service.results} /> : <span class="faint">–</span>}
        </div>
      </div>
      <div class="desknote">
        <Remark state={state} session={session} rows={4} />
      </div>
    </section>
  )
}

/** What came of a flow: in the conversation after it, in after-call work, and on the record. */
export function FlowOutcome({ flow, finished, results }: { flow: string; finished: boolean; results: FlowResultView[] }) {
  return (
    <div class="v v--1" data-test="flow-outcome">
      <span class="cap">
        {t('service.of', { flow })}
        {finished ? '' : ` · ${t('service.unfinished')}`}
      </span>
      {results.length > 0 ? <Results results={results} /> : <span class="t2 faint">{t('service.nothing')}</span>}
    </div>
  )
}

function Results({ results }: { results: FlowResultView[] }) {
  return (
    <dl class="kv service__results" data-test="flow-results">
      {results.map(({ name, value }) => [
        <dt key={name}>{name}</dt>,
        <dd key={`${name}+`} class="num" data-test="flow-result" data-name={name}>
          {value}
        </dd>,
      ])}
    </dl>
  )
}
