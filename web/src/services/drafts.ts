import type { Draft } from '../state/state'
import type { Store } from '../state/store'

const MEMORY = 'cordboard.drafts'

/** Remarks that the switch does not have yet survive a reload of the page. */
export class Drafts {
  constructor(store: Store) {
    store.dispatch({ type: 'draftsRestored', drafts: read() })
    store.subscribe((state, before) => {
      if (state.drafts !== before.drafts) write(state.drafts)
    })
  }
}

function read(): { [call: string]: Draft } {
  const drafts: { [call: string]: Draft } = {}
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(MEMORY) || '{}')
    if (typeof kept !== 'object' || kept === null) return drafts
    Object.keys(kept).forEach(call => {
      const text: unknown = (kept as { [call: string]: unknown })[call]
      if (typeof text === 'string') drafts[call] = { text, sending: null }
    })
  } catch (_) {
    // No storage, or somebody else's words in it: nothing to restore.
  }
  return drafts
}

function write(drafts: { [call: string]: Draft }) {
  const kept: { [call: string]: string } = {}
  Object.keys(drafts).forEach(call => {
    const draft = drafts[call]
    if (draft) kept[call] = draft.text
  })
  try {
    sessionStorage.setItem(MEMORY, JSON.stringify(kept))
  } catch (_) {
    // The text is still in the page and on its way.
  }
}
