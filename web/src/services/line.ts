import { bandwidth, NEEDS, type Network } from '../state/network'

const MEMORY = 'cordboard.line'

/** Whether the line to the switch was too narrow for G.711 when it was last measured (F4). */
export function isNarrow(): boolean {
  try {
    return localStorage.getItem(MEMORY) === 'narrow'
  } catch (_) {
    return false
  }
}

/** Keeps what was measured; true when calls go another way from now on. */
export function lineMeasured(network: Network): boolean {
  const width = bandwidth(network)
  if (width === null) return false
  const narrow = width < NEEDS.g711
  const changed = narrow !== isNarrow()
  try {
    localStorage.setItem(MEMORY, narrow ? 'narrow' : 'wide')
  } catch (_) {
    // A browser that keeps nothing measures again.
  }
  return changed
}
