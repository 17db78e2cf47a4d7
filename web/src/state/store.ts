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

export function createStore(from: State = initialState): Store {
  let state = from
  const listeners = new Set<(state: State, before: State) => void>()
  return {
    get: () => state,
    dispatch(event) {
      const before = state
      state = reduce(state, event)
      if (state === before) return
      const after = state
      listeners.forEach(listener => listener(after, before))
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
