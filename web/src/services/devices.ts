/** A sound device as the browser names it. Labels are known once the microphone was allowed. */
export interface Device {
  id: string
  label: string
}

/** The devices the agent chose (F4); null: the browser's own choice. */
export interface Choice {
  microphone: Device | null
  speaker: Device | null
  /** What rings. */
  ringer: Device | null
}

export type Use = keyof Choice

const MEMORY = 'cordboard.devices'
const listeners = new Set<(use: Use) => void>()
let current: Choice = read()

export function chosenDevices(): Choice {
  return current
}

export function chooseDevice(use: Use, device: Device | null) {
  current = { ...current, [use]: device }
  try {
    localStorage.setItem(MEMORY, JSON.stringify(current))
  } catch (_) {
    // It lasts for the page then.
  }
  listeners.forEach(listener => listener(use))
}

export function onChoice(listener: (use: Use) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The devices of one kind that are plugged in; none where the browser does not tell. */
export async function present(kind: MediaDeviceKind): Promise<Device[]> {
  if (!navigator.mediaDevices || !navigator.mediaDevices.enumerateDevices) return []
  try {
    const all = await navigator.mediaDevices.enumerateDevices()
    return all.filter(each => each.kind === kind).map(each => ({ id: each.deviceId, label: each.label }))
  } catch (_) {
    return []
  }
}

/** Calls back when a device came or went. */
export function onDevices(listener: () => void): () => void {
  const devices = navigator.mediaDevices
  if (!devices || !devices.addEventListener) return () => undefined
  devices.addEventListener('devicechange', listener)
  return () => devices.removeEventListener('devicechange', listener)
}

/** The device behind a microphone's track. */
export function deviceOf(track: MediaStreamTrack): Device {
  return { id: track.getSettings().deviceId || '', label: track.label }
}

function read(): Choice {
  const none: Choice = { microphone: null, speaker: null, ringer: null }
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(MEMORY) || 'null')
    if (typeof kept !== 'object' || kept === null) return none
    const { microphone, speaker, ringer } = kept as { [use: string]: unknown }
    return { microphone: device(microphone), speaker: device(speaker), ringer: device(ringer) }
  } catch (_) {
    return none
  }
}

function device(kept: unknown): Device | null {
  if (typeof kept !== 'object' || kept === null) return null
  const { id, label } = kept as { id?: unknown; label?: unknown }
  return typeof id === 'string' && typeof label === 'string' ? { id, label } : null
}
