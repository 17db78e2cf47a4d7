import type { PeerState } from '../generated/wire'

/** What is known when a snapshot has come. */
export interface SoundFacts {
  /** The agent is at work in a browser. */
  needed: boolean
  /** The switch says that this socket has the audio. */
  owner: boolean
  /** The switch's view of the agent's peer. */
  peer: PeerState
  /** This page has a path that carries voice, by the browser's word. */
  alive: boolean
  /** Another tab of this browser says that it has the sound. */
  elsewhere: boolean
}

/**
 * Brings the page's sound and the switch's idea of it together (F6, F7): after a reload, after the socket was away, in a second tab.
 * - `keep`: all is well. - `renew`: this page's path is not the switch's any more: a new one. - `bringUp`: there is none: make one.
 * - `give`: another tab has it. - `shut`: the agent is offline or has a phone, and needs none.
 */
export function matchSound({ needed, owner, peer, alive, elsewhere }: SoundFacts): 'keep' | 'renew' | 'bringUp' | 'give' | 'shut' {
  if (!needed) return 'shut'
  if (owner) {
    if (!alive) return 'bringUp'
    return peer === 'up' || peer === 'connecting' ? 'keep' : 'renew'
  }
  // Nobody here has it: the switch still thinks of a socket that is gone.
  if (elsewhere) return 'give'
  return alive ? 'renew' : 'bringUp'
}
