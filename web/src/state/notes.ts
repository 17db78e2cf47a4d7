import type { Ask, SessionView } from '../generated/wire'
import type { Draft, State } from './state'

/** What an agent notes on a call (D8). What the page has stands until the switch has said the same. */
export type Noted = 'remark' | 'disposition'

export type Drafts = { [call: string]: Draft }

export const noted: Noted[] = ['remark', 'disposition']

export function draftsOf(state: State, of: Noted): Drafts {
  return of === 'remark' ? state.drafts : state.choices
}

export function withDrafts(state: State, of: Noted, drafts: Drafts): State {
  return of === 'remark' ? { ...state, drafts } : { ...state, choices: drafts }
}

/** What the request notes, if it does. */
export function noteOf(ask: Ask): { of: Noted; call: string; text: string } | null {
  if (ask.type === 'remark') return { of: 'remark', call: ask.call, text: ask.text }
  return ask.type === 'disposition' ? { of: 'disposition', call: ask.call, text: ask.name } : null
}

/** What the switch has. */
export function saidOf(session: SessionView, of: Noted): string {
  return of === 'remark' ? session.remark : session.disposition
}

/** What is shown: the agent's choice first. */
export function dispositionOf(state: State, session: SessionView): string {
  const choice = state.choices[session.call]
  return choice ? choice.text : session.disposition
}
