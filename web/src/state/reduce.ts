import type { Ask, SessionView, ToWorkstation } from '../generated/wire'
import type { Event } from './events'
import { initialState, type Desk, type Draft, type Refusal, type State } from './state'

/** The next state. Pure: the same state and event give the same result. */
export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case 'told':
      return told(state, event.tell, event.at)
    case 'connecting':
      return state.link.is === 'lost' ? state : { ...state, link: { is: 'connecting' } }
    case 'lost':
      if (state.link.is === 'takenOver' || state.link.is === 'lost') return state
      return { ...state, link: state.desk ? { is: 'lost', since: event.at } : { is: 'connecting' }, roundTrip: null }
    case 'roundTrip':
      return { ...state, roundTrip: event.milliseconds }
    case 'asked':
      return asked(state, event.id, event.ask)
    case 'unanswered':
      return { ...state, pending: {}, drafts: mapDrafts(state.drafts, draft => ({ ...draft, sending: null })) }
    case 'loggedOut':
      return { ...initialState, drafts: state.drafts }
    case 'me':
      return state.desk ? { ...state, desk: { ...state.desk, me: event.me } } : state
    case 'selected':
      return { ...state, selected: event.call, refusal: null }
    case 'typed': {
      const sending = state.drafts[event.call]
      return { ...state, drafts: { ...state.drafts, [event.call]: { text: event.text, sending: sending ? sending.sending : null } } }
    }
    case 'picking':
      return picking(state, event.picker)
    case 'draftsRestored':
      return { ...state, drafts: { ...event.drafts, ...state.drafts } }
    case 'microphone':
      return { ...state, microphone: event.is }
    case 'goingOnline':
      return { ...state, goingOnline: event.step, refusal: event.step === 'microphone' ? null : state.refusal }
    case 'sound':
      return state.sound === event.is ? state : { ...state, sound: event.is }
    case 'audioLocked':
      return state.audioLocked === event.locked ? state : { ...state, audioLocked: event.locked }
    case 'standIn':
      return { ...state, standIn: event.devices }
    case 'refusalSeen':
      return { ...state, refusal: null }
    case 'toast':
      return { ...state, toast: { id: event.id, text: event.text } }
    case 'toastGone':
      return state.toast && state.toast.id === event.id ? { ...state, toast: null } : state
  }
}

function told(state: State, tell: ToWorkstation, at: number): State {
  if (tell.type === 'snapshot') {
    const { type: _, now, ...rest } = tell
    const desk: Desk = { ...rest, quality: sameCall(state.desk, rest.sessions), customers: {} }
    const refusal = transferRefusal(state.desk, rest.sessions) || state.refusal
    return settle({ ...state, link: { is: 'open' }, clockOffset: now - at, desk, pending: {}, refusal })
  }
  if (tell.type === 'takenOver') return { ...state, link: { is: 'takenOver' }, pending: {} }
  if (tell.type === 'done') return answered(state, tell.id, null)
  if (tell.type === 'refused') return answered(state, tell.id, { code: tell.code, message: tell.message })
  const desk = state.desk
  if (!desk) return state
  switch (tell.type) {
    case 'agent': {
      const { type: _, ...agent } = tell
      return { ...state, desk: { ...desk, agent } }
    }
    case 'queue': {
      const { type: _, ...queue } = tell
      const known = desk.queues.some(q => q.group === queue.group)
      const queues = known ? desk.queues.map(q => (q.group === queue.group ? queue : q)) : desk.queues.concat(queue)
      return { ...state, desk: { ...desk, queues } }
    }
    case 'offer':
      // Ringing replaces what the middle shows; the drafts stay (README, "one thing to do now").
      return { ...state, desk: { ...desk, offer: tell.offer }, selected: tell.offer ? null : state.selected, refusal: null }
    case 'session': {
      const { type: _, ...session } = tell
      const known = desk.sessions.find(s => s.call === session.call)
      const sessions = known ? desk.sessions.map(s => (s.call === session.call ? session : s)) : [session, ...desk.sessions]
      const began = !known && session.phase !== 'ended'
      const refusal = transferRefusal(desk, sessions) || state.refusal
      return settle({ ...state, desk: { ...desk, sessions }, selected: began ? null : state.selected, refusal })
    }
    case 'sessionsGone': {
      const sessions = desk.sessions.filter(s => tell.calls.indexOf(s.call) < 0)
      const selected = state.selected !== null && tell.calls.indexOf(state.selected) >= 0 ? null : state.selected
      return settle({ ...state, desk: { ...desk, sessions }, selected })
    }
    case 'peer':
      return { ...state, desk: { ...desk, peer: tell.state } }
    case 'audioOwner':
      return { ...state, desk: { ...desk, audioOwner: tell.mine } }
    case 'quality': {
      const { type: _, ...quality } = tell
      return { ...state, desk: { ...desk, quality } }
    }
    case 'targets': {
      const { type: _, ...targets } = tell
      return state.picker ? { ...state, targets } : state
    }
    case 'customer': {
      const { type: _, ...customer } = tell
      return { ...state, desk: { ...desk, customers: { ...desk.customers, [customer.call]: customer } } }
    }
    case 'peerAnswer':
    case 'echo':
      return state
  }
}

/** Quality survives a new snapshot while its call does. */
function sameCall(desk: Desk | null, sessions: SessionView[]) {
  const quality = desk ? desk.quality : null
  return quality && sessions.some(s => s.call === quality.call && s.phase !== 'ended') ? quality : null
}

/** The target of a transfer that was asked for has said no: news for the agent, told once. */
function transferRefusal(desk: Desk | null, sessions: SessionView[]): Refusal | null {
  const waiting = desk ? desk.sessions.filter(s => s.transfer === 'asked').map(s => s.call) : []
  const now = sessions.find(s => s.phase !== 'ended' && waiting.indexOf(s.call) >= 0)
  return now && now.transfer !== null && now.transfer !== 'asked' ? { ask: 'transfer', code: now.transfer, message: '' } : null
}

/** Opening, closing and choosing leave no old refusal behind, opening and closing no old targets. */
function picking(state: State, picker: State['picker']): State {
  const before = state.picker
  const goesOn = picker !== null && before !== null
  const refusal = state.refusal && state.refusal.ask === 'transfer' && !(goesOn && picker.chosen === before.chosen) ? null : state.refusal
  return { ...state, picker, targets: goesOn ? state.targets : null, refusal }
}

function asked(state: State, id: number, ask: Ask): State {
  const drafts =
    ask.type === 'remark'
      ? { ...state.drafts, [ask.call]: { text: draftText(state, ask.call, ask.text), sending: ask.text } }
      : state.drafts
  const refusal = quiet(ask.type) ? state.refusal : null
  return { ...state, pending: { ...state.pending, [id]: ask }, drafts, refusal }
}

function draftText(state: State, call: string, otherwise: string) {
  const draft = state.drafts[call]
  return draft ? draft.text : otherwise
}

function answered(state: State, id: number, refused: { code: string; message: string } | null): State {
  const ask = state.pending[id]
  if (!ask) return state
  const { [id]: _, ...pending } = state.pending
  let { drafts, desk, refusal } = state
  if (ask.type === 'remark') {
    const draft = drafts[ask.call]
    if (draft && draft.sending === ask.text) drafts = { ...drafts, [ask.call]: { ...draft, sending: null } }
    if (!refused && desk) {
      // The switch has the text now: so has the session, before its event arrives.
      desk = { ...desk, sessions: desk.sessions.map(s => (s.call === ask.call ? { ...s, remark: ask.text } : s)) }
    }
  }
  if (refused && !quiet(ask.type)) refusal = { ask: ask.type, ...refused }
  return settle({ ...state, pending, drafts, desk, refusal })
}

/** Requests that the page makes by itself: their refusal is no news for the agent. */
function quiet(type: Ask['type']) {
  return type === 'ping' || type === 'targets' || type === 'openPeer' || type === 'closePeer' || type === 'remark' || type === 'openEcho' || type === 'closeEcho' || type === 'customer'
}

/** Drops drafts that the switch knows and those of sessions that are gone, and the picker of a call that is over. */
function settle(state: State): State {
  const desk = state.desk
  if (!desk) return state
  const drafts: { [call: string]: Draft } = {}
  let changed = false
  const picker = state.picker
  if (picker && !desk.sessions.some(s => s.call === picker.call && s.phase !== 'ended')) state = picking(state, null)
  Object.keys(state.drafts).forEach(call => {
    const draft = state.drafts[call]
    const session = desk.sessions.find(s => s.call === call)
    const known = session && draft && draft.sending === null && draft.text === session.remark
    if (draft && session && !known) drafts[call] = draft
    else changed = true
  })
  return changed ? { ...state, drafts } : state
}

function mapDrafts(drafts: State['drafts'], change: (draft: Draft) => Draft) {
  const result: State['drafts'] = {}
  Object.keys(drafts).forEach(call => {
    const draft = drafts[call]
    if (draft) result[call] = change(draft)
  })
  return result
}
