import type { Ask, SessionView, ToWorkstation } from '../generated/wire'
import type { Event } from './events'
import { draftsOf, noted, noteOf, saidOf, withDrafts, type Drafts, type Noted } from './notes'
import { justFailed, liveSession } from './select'
import { inFlow } from './service'
import { initialState, type Desk, type Refusal, type State } from './state'

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
      return { ...state, pending: {}, drafts: unsent(state.drafts), choices: unsent(state.choices) }
    case 'loggedOut':
      return { ...initialState, drafts: state.drafts, choices: state.choices }
    case 'me':
      return state.desk ? { ...state, desk: { ...state.desk, me: event.me } } : state
    case 'selected':
      return { ...state, selected: event.call, refusal: null }
    case 'typed':
      return note(state, 'remark', event.call, event.text)
    case 'disposed':
      return note(state, 'disposition', event.call, event.name)
    case 'picking':
      return picking(state, event.picker)
    case 'keypad':
      return keypad(state, event.open)
    case 'flows':
      return flows(state, event.open)
    case 'draftsRestored':
      return withDrafts(state, event.of, { ...event.drafts, ...draftsOf(state, event.of) })
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
    const refusal = newRefusal(state.desk, rest.sessions) || state.refusal
    return settle(consultMoves({ ...state, link: { is: 'open' }, clockOffset: now - at, desk, pending: {}, refusal }, state.desk))
  }
  if (tell.type === 'takenOver') return { ...state, link: { is: 'takenOver' }, pending: {} }
  if (tell.type === 'loggedOut') return state
  if (tell.type === 'done') return answered(state, tell.id, null)
  if (tell.type === 'refused') return answered(state, tell.id, { code: tell.code, message: tell.message })
  const desk = state.desk
  if (!desk) return state
  switch (tell.type) {
    case 'agent': {
      const { type: _, ...agent } = tell
      return { ...state, desk: { ...desk, agent } }
    }
    case 'queues': {
      const told = (group: number) => tell.queues.filter(q => q.group === group)
      const fresh = tell.queues.filter(q => !desk.queues.some(known => known.group === q.group))
      const queues = desk.queues.map(known => told(known.group)[0] || known).concat(fresh)
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
      const refusal = newRefusal(desk, sessions) || state.refusal
      const next = { ...desk, sessions }
      const failed = justFailed(desk, next)
      const selected = failed && !desk.offer ? failed.call : began ? null : state.selected
      return settle(consultMoves({ ...state, desk: next, selected, refusal }, desk))
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
      return { ...state, targets }
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

/** Whoever was asked, for a transfer or a consultation, has said no: news for the agent, told once. */
function newRefusal(desk: Desk | null, sessions: SessionView[]): Refusal | null {
  const before = desk ? desk.sessions.filter(s => s.transfer === 'asked' || s.consult !== null) : []
  const now = sessions.find(s => s.phase !== 'ended' && s.consult === null && before.some(({ call }) => call === s.call))
  const was = now && before.find(({ call }) => call === now.call)
  if (!now || !was || now.transfer === null || now.transfer === 'asked') return null
  return { ask: was.consult ? 'consult' : 'transfer', code: now.consultOutcome || now.transfer, message: '' }
}

/** Who is asked is picked no more once they are there, or the agent has given it up; a refusal leaves the picker for another choice. */
function consultMoves(state: State, before: Desk | null): State {
  const { picker, desk } = state
  if (!picker || picker.purpose !== 'consult') return state
  const find = (from: Desk | null) => (from && from.sessions.find(s => s.call === picker.call)) || null
  const [was, now] = [find(before), find(desk)]
  const there = now !== null && now.consult !== null && now.consult.reached === 'up'
  const givenUp = was !== null && was.consult !== null && now !== null && now.consult === null && !(state.refusal && state.refusal.ask === 'consult')
  return there || givenUp ? picking(state, null) : state
}

/** Opening, closing and choosing leave no old refusal behind, opening and closing no old targets. */
function picking(state: State, picker: State['picker']): State {
  const before = state.picker
  const goesOn = picker !== null && before !== null && picker.purpose === before.purpose
  const same = goesOn && picker.chosen === before.chosen && (picker.list !== 'number' || picker.search === before.search)
  const picks = state.refusal !== null && (state.refusal.ask === 'transfer' || state.refusal.ask === 'consult')
  const refusal = picks && !same ? null : state.refusal
  const keypad = picker !== null && state.keypad ? { ...state.keypad, open: false } : state.keypad
  return { ...state, picker, keypad, flows: picker ? null : state.flows, targets: goesOn ? state.targets : null, refusal }
}

/** Opens or closes the list of flows for the call in progress; it takes turns with the picker and the keypad. */
function flows(state: State, open: boolean): State {
  const live = state.desk && liveSession(state.desk)
  if (!open || !live) return { ...state, flows: null }
  const next = picking(state, null)
  const refusal = next.refusal && next.refusal.ask === 'startFlow' ? null : next.refusal
  return { ...next, keypad: next.keypad ? { ...next.keypad, open: false } : null, flows: live.call, refusal }
}

/** Opens or closes the keypad of the call in progress; it and the picker take turns. */
function keypad(state: State, open: boolean): State {
  const live = state.desk && liveSession(state.desk)
  const before = live && state.keypad && state.keypad.call === live.call ? state.keypad : null
  if (!live || (!open && !before)) return state
  const next = { ...picking(state, null), flows: open ? null : state.flows, keypad: { call: live.call, open, sent: before ? before.sent : '' } }
  return next.refusal && next.refusal.ask === 'digits' ? { ...next, refusal: null } : next
}

function asked(state: State, id: number, ask: Ask): State {
  const refusal = quiet(ask.type) ? state.refusal : null
  const next = { ...state, pending: { ...state.pending, [id]: ask }, refusal }
  const sent = noteOf(ask)
  if (!sent) return next
  const drafts = draftsOf(state, sent.of)
  const draft = drafts[sent.call]
  return withDrafts(next, sent.of, { ...drafts, [sent.call]: { text: draft ? draft.text : sent.text, sending: sent.text } })
}

/** The agent's word; what is on its way stays so. */
function note(state: State, of: Noted, call: string, text: string): State {
  const drafts = draftsOf(state, of)
  const before = drafts[call]
  return withDrafts(state, of, { ...drafts, [call]: { text, sending: before ? before.sending : null } })
}

function answered(state: State, id: number, refused: { code: string; message: string } | null): State {
  const ask = state.pending[id]
  if (!ask) return state
  const { [id]: _, ...pending } = state.pending
  let { desk, refusal } = state
  const sent = noteOf(ask)
  if (sent && !refused && desk) {
    // The switch has the text now: so has the session, before its event arrives.
    desk = { ...desk, sessions: desk.sessions.map(s => (s.call === sent.call ? { ...s, [sent.of]: sent.text } : s)) }
  }
  const blocked = ask.type === 'block' && !refused ? { ...state.blocked, [ask.call]: ask.keep } : state.blocked
  const sends = ask.type === 'digits' && !refused && state.keypad && state.keypad.call === ask.call
  const keypad = sends && state.keypad ? { ...state.keypad, sent: state.keypad.sent + ask.digits } : state.keypad
  if (refused && !quiet(ask.type)) refusal = { ask: ask.type, ...refused }
  const next = { ...state, pending, desk, keypad, blocked, refusal }
  return settle(sent ? landed(next, sent.of, sent.call, sent.text, refused !== null) : next)
}

/** A note was answered. A disposition that is refused is in the list no more: the choice goes. */
function landed(state: State, of: Noted, call: string, text: string, refused: boolean): State {
  const { [call]: draft, ...others } = draftsOf(state, of)
  if (!draft || draft.sending !== text) return state
  const goes = refused && of === 'disposition' && draft.text === text
  return withDrafts(state, of, goes ? others : { ...others, [call]: { ...draft, sending: null } })
}

/** Requests that the page makes by itself: their refusal is no news for the agent. */
function quiet(type: Ask['type']) {
  return type === 'ping' || type === 'targets' || type === 'openPeer' || type === 'closePeer' || type === 'remark' || type === 'openEcho' || type === 'closeEcho' || type === 'customer'
}

/** Drops drafts that the switch knows and those of sessions that are gone, and the picker of a call that is over. */
function settle(state: State): State {
  const desk = state.desk
  if (!desk) return state
  const picker = state.picker
  if (picker && !desk.sessions.some(s => s.call === picker.call && s.phase !== 'ended')) state = picking(state, null)
  // Chosen, or the call is over.
  const served = state.flows !== null && desk.sessions.some(s => s.call === state.flows && s.phase !== 'ended' && inFlow(s) === null)
  if (state.flows !== null && !served) state = { ...state, flows: null }
  const pad = state.keypad
  if (pad && !desk.sessions.some(s => s.call === pad.call && s.phase !== 'ended')) state = { ...state, keypad: null }
  return noted.reduce((next, of) => settleNotes(next, desk, of), state)
}

function settleNotes(state: State, desk: Desk, of: Noted): State {
  const before = draftsOf(state, of)
  const drafts: Drafts = {}
  let changed = false
  Object.keys(before).forEach(call => {
    const draft = before[call]
    const session = desk.sessions.find(s => s.call === call)
    const known = session && draft && draft.sending === null && draft.text === saidOf(session, of)
    if (draft && session && !known) drafts[call] = draft
    else changed = true
  })
  return changed ? withDrafts(state, of, drafts) : state
}

/** Nothing is on its way any more. */
function unsent(drafts: Drafts): Drafts {
  const result: Drafts = {}
  Object.keys(drafts).forEach(call => {
    const draft = drafts[call]
    if (draft) result[call] = { ...draft, sending: null }
  })
  return result
}
