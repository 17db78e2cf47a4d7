interface Microphone {
  id: string
  label: string
}

export function same(a: Microphone, b: Microphone): boolean {
  return a.id === b.id && a.label === b.label
}

/** Chrome's `default` and `communications` stand for a device that is in the list by itself: that one, or what was given. */
export function realOf<M extends Microphone>(held: M, present: M[]): M {
  if (held.id !== 'default' && held.id !== 'communications') return held
  return present.find(each => each.id !== held.id && each.label !== '' && held.label.endsWith(` - ${each.label}`)) || held
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
