/** A microphone: two of the same id and another name are the system's default before and after a change. */
interface Microphone {
  id: string
  label: string
}

export function same(a: Microphone, b: Microphone): boolean {
  return a.id === b.id && a.label === b.label
}

/**
 * Devices came or went: whether the call's microphone is to be taken anew, the path staying as it is.
 * `wanted` is the agent's choice, or the one that was used until it went; null: any will do.
 */
export function microphoneMoves(held: Microphone, wanted: Microphone | null, present: Microphone[]): boolean {
  const there = (one: Microphone) => present.some(each => same(each, one))
  if (wanted !== null && there(wanted)) return !same(held, wanted)
  return !there(held)
}

/** What stands in for the wanted microphone, for the banner; null: nothing does. */
export function standIn(held: Microphone, wanted: Microphone | null): { gone: string; used: string } | null {
  return wanted !== null && !same(held, wanted) ? { gone: wanted.label, used: held.label } : null
}
