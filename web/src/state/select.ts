import type { Ask, CallType, PeerState, RecordView, SessionView } from '../generated/wire'
import { inFlow } from './service'
import type { Desk, State } from './state'

/** The session that is being served: in conversation, or in after-call work. */
export function liveSession(desk: Desk): SessionView | null {
  return desk.sessions.find(s => s.phase !== 'ended') || null
}

/** The call that the after-call work is about: the last that ended. */
export function wrapUpSession(desk: Desk): SessionView | null {
  if (desk.agent.state !== 'afterCallWork') return null
  return desk.sessions.reduce<SessionView | null>(
    (last, s) => (s.phase === 'ended' && (!last || (s.ended || 0) > (last.ended || 0)) ? s : last),
    null,
  )
}

/** A conversation between agents (E3, F2). */
export function isInternal(call: { callType: CallType }): boolean {
  return call.callType === 'internal'
}

/** Whether a call of this agent's never came to a conversation (E5). */
export function isFailed(session: SessionView): boolean {
  return session.callType !== 'inbound' && session.phase === 'ended' && session.outcome !== null && spoken.indexOf(session.outcome) < 0
}
/** Endings of calls in which there was a conversation; `agent_lost` and `interrupted` can be either. */
const spoken = ['normal_end', 'agent_transfer']

/** The call that was being set up before and has come to nothing since. */
export function justFailed(before: Desk, now: Desk): SessionView | null {
  const calling = before.sessions.find(s => s.phase === 'dialling' || s.phase === 'ringing')
  const over = calling && now.sessions.find(s => s.call === calling.call && s.phase === 'ended')
  return over || null
}

/** Why no call out can be made now, as far as this page knows (table B); the switch decides. */
export function dialRefused(state: State, desk: Desk): 'away' | 'offline' | 'inLine' | null {
  if (state.link.is !== 'open') return 'away'
  if (desk.agent.state === 'offline') return 'offline'
  return desk.agent.state === 'inLine' ? 'inLine' : null
}

/** The customer's number of a record, whoever called; of an internal one, the number of the other agent than this one. */
export function otherOf(record: RecordView, own: string): string {
  const called = record.callType === 'outbound' || (record.callType === 'internal' && record.caller === own)
  return called ? record.contact : record.caller
}

/** Sessions under *Serving*: the live one, and the one in after-call work. */
export function serving(desk: Desk): SessionView[] {
  const wrapUp = wrapUpSession(desk)
  return desk.sessions.filter(s => s.phase !== 'ended' || s === wrapUp)
}

/** Sessions under *Ended*, newest first. */
export function ended(desk: Desk): SessionView[] {
  const wrapUp = wrapUpSession(desk)
  return desk.sessions.filter(s => s.phase === 'ended' && s !== wrapUp)
}

/** The one thing that the middle shows. */
export type Task =
  | { is: 'ringing' }
  | { is: 'microphone' }
  | { is: 'call'; session: SessionView }
  | { is: 'wrapUp'; session: SessionView | null }
  | { is: 'ended'; session: SessionView }
  | { is: 'idle' }

export function task(state: State, desk: Desk): Task {
  if (desk.offer) return { is: 'ringing' }
  if (noMicrophone(state) && !liveSession(desk)) return { is: 'microphone' }
  const wrapUp = wrapUpSession(desk)
  const chosen = state.selected !== null ? desk.sessions.find(s => s.call === state.selected) : undefined
  if (chosen && chosen.phase === 'ended' && chosen !== wrapUp) return { is: 'ended', session: chosen }
  const live = liveSession(desk)
  if (live) return { is: 'call', session: live }
  if (desk.agent.state === 'afterCallWork') return { is: 'wrapUp', session: wrapUp }
  return { is: 'idle' }
}

/** The session that the left marks and the right describes. */
export function shownSession(state: State, desk: Desk): SessionView | null {
  const now = task(state, desk)
  return now.is === 'call' || now.is === 'ended' || now.is === 'wrapUp' ? now.session : null
}

/** Whether such a request is on its way; the button shows it at once. */
export function isPending(state: State, ...types: Ask['type'][]): boolean {
  return Object.keys(state.pending).some(id => {
    const ask = state.pending[Number(id)]
    return ask !== undefined && types.indexOf(ask.type) >= 0
  })
}

/** What stands in the remark's field: the agent's words first. */
export function remarkText(state: State, session: SessionView): string {
  const draft = state.drafts[session.call]
  return draft ? draft.text : session.remark
}

/** Whether the customer may hear this page's microphone (D2, D3, D6, F7). The switch enforces the same. */
export function microphoneOpen(desk: Desk | null): boolean {
  const live = desk ? liveSession(desk) : null
  return desk !== null && !byPhone(desk) && live !== null && live.phase === 'talking' && !live.held && !live.muted && inFlow(live) === null
}

/** Why the page has no microphone, if it needs one. */
export function noMicrophone(state: State): 'blocked' | 'missing' | 'insecure' | null {
  const { desk, microphone } = state
  if (desk && byPhone(desk)) return null
  return microphone === 'blocked' || microphone === 'missing' || microphone === 'insecure' ? microphone : null
}

/** Whether this tab rings (F6). A phone or mobile rings by itself (C7, C8). */
export function rings(state: State): boolean {
  const desk = state.desk
  return desk !== null && state.link.is === 'open' && desk.offer !== null && !desk.offer.automatic && desk.audioOwner && !byPhone(desk)
}

/** Whether the agent is at work. */
export function isOnline(desk: Desk | null): boolean {
  return desk !== null && desk.agent.state !== 'offline'
}

/** The agent talks on a SIP phone or the mobile: what rings, is answered and heard is there (C7, C8). */
export function byPhone(desk: Desk): boolean {
  return desk.agent.device !== 'browser'
}

/** The mobile that answered until now does so no more: this page needs its sound, as for going online (C7). */
export function backFromMobile(before: Desk, now: Desk): boolean {
  return isOnline(before) && before.agent.device === 'mobile' && needsSound(now)
}

/** Whether the agent is at work in a browser, so that the switch needs an audio path. */
export function needsSound(desk: Desk | null): boolean {
  return desk !== null && isOnline(desk) && !byPhone(desk)
}

/** Another tab has the sound: this one only shows the state (F6). */
export function audioElsewhere(state: State): boolean {
  return needsSound(state.desk) && state.sound === 'elsewhere'
}

/** One to four bars; none without a connection. */
export function bars(milliseconds: number | null): number {
  if (milliseconds === null) return 0
  if (milliseconds < 100) return 4
  if (milliseconds < 200) return 3
  return milliseconds < 400 ? 2 : 1
}

/** E-model classes (ITU-T G.107): satisfied, some dissatisfied, many dissatisfied, nearly all. */
export function qualityBars(mos: number): 1 | 2 | 3 | 4 {
  if (mos >= 4) return 4
  if (mos >= 3.6) return 3
  return mos >= 3.1 ? 2 : 1
}

export function peerState(state: State): PeerState {
  return state.desk ? state.desk.peer : 'none'
}
