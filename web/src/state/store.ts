import { useEffect, useState } from 'preact/hooks'
import type { Event } from './events'
import { reduce } from './reduce'
import { initialState, type State } from './state'

export interface Store {
  get(): State
  dispatch(event: Event): void
  /** Calls back after every change; returns the way to stop. */
  subscribe(listener: (state: State, before: State) => void): () => void
}

/** Events are taken one by one: one that a listener dispatches waits until all have heard of the present one. */
export function createStore(from: State = initialState): Store {
  let state = from
  const listeners = new Set<(state: State, before: State) => void>()
  const queue: Event[] = []
  let busy = false
  return {
    get: () => state,
    dispatch(event) {
      queue.push(event)
      if (busy) return
      busy = true
      try {
        for (let next = queue.shift(); next; next = queue.shift()) {
          const before = state
          const after = reduce(before, next)
          state = after
          if (after !== before) listeners.forEach(listener => listener(after, before))
        }
      } finally {
        busy = false
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The state, and a new rendering on each change. */
export function useStore(store: Store): State {
  const [state, set] = useState(store.get())
  useEffect(() => {
    set(store.get())
    return store.subscribe(set)
  }, [store])
  return state
}
