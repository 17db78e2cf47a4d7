import type { Microphone } from '../state/state'

/** getUserMedia's errors in the agent's words (F7). */
export function whyNoMicrophone(error: unknown): Microphone {
  const name = error instanceof Error || (typeof DOMException !== 'undefined' && error instanceof DOMException) ? error.name : ''
  if (name === 'NotAllowedError' || name === 'PermissionDeniedError') return 'blocked'
  if (name === 'SecurityError') return 'insecure'
  return 'missing'
}
