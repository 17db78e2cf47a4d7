import type { AgentView, Ask, BlockFor, CustomerView, Me, OfferView, PeerState, QualityView, QueueView, SessionView, Settings, TargetsView, TransferTarget } from '../generated/wire'

/** How the page stands to the switch. */
export type Link =
  /** Nobody is logged in, or it is not known yet. */
  | { is: 'idle' }
  /** First connection after the page opened. */
  | { is: 'connecting' }
  | { is: 'open' }
  /** The socket is away since `since` (the page's clock); the switch keeps the call and the state for a while (B3). */
  | { is: 'lost'; since: number }
  /** Another login took over (A9): the page has stopped. */
  | { is: 'takenOver' }

/** The microphone, as far as this page got it. */
export type Microphone = 'unknown' | 'asking' | 'ready' | 'blocked' | 'missing' | 'insecure'

/** Everything the switch told us. Replaced whole by each snapshot. */
export interface Desk {
  me: Me
  agent: AgentView
  queues: QueueView[]
  offer: OfferView | null
  sessions: SessionView[]
  audioOwner: boolean
  peer: PeerState
  settings: Settings
  quality: QualityView | null
  /** Cards of the customers on the desk, by call. */
  customers: { [call: string]: CustomerView }
}

/** A remark that the agent types, or a disposition: the page's text stands until the switch has said the same (D8). */
export interface Draft {
  text: string
  /** The text that is on its way to the switch. */
  sending: string | null
}

/** The agent looks for whom to send the customer to (D4), or to ask (D5). */
export interface Picker {
  call: string
  purpose: 'transfer' | 'consult'
  /** A number can only be asked. */
  list: 'groups' | 'agents' | 'number'
  /** Of the number: the number itself, as typed. */
  search: string
  chosen: TransferTarget | null
}

/** The keypad of a call, and what it has sent (D7). */
export interface Keypad {
  call: string
  open: boolean
  sent: string
}

/** A request that was refused: shown where the agent works, until the next try. */
export interface Refusal {
  ask: Ask['type']
  code: string
  message: string
}

/** A microphone that is used while the wanted one is gone, by name. */
export interface StandIn {
  gone: string
  used: string
}

/** Where the sound of the agent's calls is, as this tab knows (F6). */
export type SoundPlace = 'nowhere' | 'here' | 'elsewhere'

/** Going online (F7): microphone, audio path, and only then the state. */
export type GoingOnline = 'no' | 'microphone' | 'path' | 'failed'

export interface State {
  link: Link
  desk: Desk | null
  /** The switch's clock minus the page's, in milliseconds. */
  clockOffset: number
  /** Of the last ping, in milliseconds. */
  roundTrip: number | null
  /** The session that the agent looks at; null: the current task. */
  selected: string | null
  /** Requests without an answer, by id. */
  pending: { [id: number]: Ask }
  refusal: Refusal | null
  drafts: { [call: string]: Draft }
  /** Dispositions that were chosen. */
  choices: { [call: string]: Draft }
  /** Calls whose customers this page had blocked, and for how long (H6). */
  blocked: { [call: string]: BlockFor }
  picker: Picker | null
  /** Of the call in progress; null until it was opened. */
  keypad: Keypad | null
  /** The call for which the list of flows is open (D6). */
  flows: string | null
  /** Whom a customer can be sent to, who can be asked or called; asked for while somebody picks. */
  targets: TargetsView | null
  microphone: Microphone
  standIn: StandIn | null
  goingOnline: GoingOnline
  sound: SoundPlace
  /** The browser plays no sound before a click. */
  audioLocked: boolean
  /** One notice of what happened elsewhere. */
  toast: { id: number; text: string } | null
}

export const initialState: State = {
  link: { is: 'idle' },
  desk: null,
  clockOffset: 0,
  roundTrip: null,
  selected: null,
  pending: {},
  refusal: null,
  drafts: {},
  choices: {},
  blocked: {},
  picker: null,
  keypad: null,
  flows: null,
  targets: null,
  microphone: 'unknown',
  standIn: null,
  goingOnline: 'no',
  sound: 'nowhere',
  audioLocked: false,
  toast: null,
}
