import { crmAsk, crmCall, crmCommand, crmEvents, progress, type CrmEvent } from '../state/crm'
import { liveSession } from '../state/select'
import type { State } from '../state/state'
import type { Store } from '../state/store'
import type { Workstation } from './workstation'

const VERSION = 1

/** Talks with the CRM's page in the frame, and with nobody else: one window, one origin (F3). Returns the way to stop. */
export function talkToCrm(store: Store, station: Pick<Workstation, 'ask'>, frame: HTMLIFrameElement, origin: string): () => void {
  const say = (message: object) => {
    if (frame.contentWindow) frame.contentWindow.postMessage({ source: 'cordboard', version: VERSION, ...message }, origin)
  }
  const tell = (event: CrmEvent) => say(event)
  const { desk } = store.get()
  let rang = desk && desk.offer ? crmCall(desk.offer, desk) : null
  const stop = store.subscribe((state, before) => {
    if (!state.desk || state.desk === before.desk) return
    const news = crmEvents(before.desk, state.desk, rang)
    rang = news.rang
    news.events.forEach(tell)
  })
  const onMessage = (event: MessageEvent) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return
    const command = crmCommand(event.data)
    if (command === null) return
    const reply = (answer: object) => say({ reply: command.id, ...answer })
    if (command.command === null) return reply({ ok: false, code: 'unknown_command', message: 'The workstation knows answer, hang_up and dial.' })
    const wanted = crmAsk(command, store.get().desk)
    if ('code' in wanted) return reply({ ok: false, ...wanted })
    void station.ask(wanted.ask).then(outcome => {
      if (outcome.is === 'done') reply({ ok: true })
      else if (outcome.is === 'refused') reply({ ok: false, code: outcome.code, message: outcome.message })
      else reply({ ok: false, code: 'lost', message: 'The connection to the switch was lost before it answered.' })
    })
  }
  // A page that has just come knows of nothing.
  const onLoad = () => now(store.get()).forEach(tell)
  window.addEventListener('message', onMessage)
  frame.addEventListener('load', onLoad)
  return () => {
    stop()
    window.removeEventListener('message', onMessage)
    frame.removeEventListener('load', onLoad)
  }
}

/** What goes on at this moment, as events. */
function now({ desk }: State): CrmEvent[] {
  if (!desk) return []
  const events: CrmEvent[] = []
  if (desk.offer) events.push({ event: 'ringing', call: crmCall(desk.offer, desk) })
  const live = liveSession(desk)
  const begun = live && progress(live)
  if (live && begun) events.push({ event: begun, call: crmCall(live, desk) })
  if (live && live.held) events.push({ event: 'held', call: crmCall(live, desk) })
  return events
}
