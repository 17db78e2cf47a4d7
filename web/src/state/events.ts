import type { Ask, Me, ToWorkstation } from '../generated/wire'
import type { Drafts, Noted } from './notes'
import type { GoingOnline, Microphone, Picker, SoundPlace, StandIn } from './state'

/** What can happen to the page's state: the switch tells, the socket changes, the agent acts. Times are the page's clock. */
export type Event =
  | { type: 'told'; tell: ToWorkstation; at: number }
  | { type: 'connecting' }
  | { type: 'lost'; at: number }
  | { type: 'roundTrip'; milliseconds: number }
  | { type: 'asked'; id: number; ask: Ask }
  /** The socket went away before these were answered. */
  | { type: 'unanswered' }
  | { type: 'loggedOut' }
  /** The agent's own profile changed over HTTP. */
  | { type: 'me'; me: Me }
  | { type: 'selected'; call: string | null }
  | { type: 'typed'; call: string; text: string }
  /** The agent says what a call was about. */
  | { type: 'disposed'; call: string; name: string }
  /** The agent opens, uses or (null) closes the picker of transfers. */
  | { type: 'picking'; picker: Picker | null }
  /** The agent opens or closes the keypad of the call in progress. */
  | { type: 'keypad'; open: boolean }
  /** The agent opens or closes the list of flows for the call in progress (D6). */
  | { type: 'flows'; open: boolean }
  | { type: 'draftsRestored'; of: Noted; drafts: Drafts }
  | { type: 'microphone'; is: Microphone }
  | { type: 'goingOnline'; step: GoingOnline }
  | { type: 'sound'; is: SoundPlace }
  | { type: 'audioLocked'; locked: boolean }
  /** Another microphone stands in for the one that is wanted (null: it does no more). */
  | { type: 'standIn'; devices: StandIn | null }
  | { type: 'refusalSeen' }
  | { type: 'toast'; id: number; text: string }
  | { type: 'toastGone'; id: number }
