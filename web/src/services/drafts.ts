import { draftsOf, noted, type Drafts as Kept, type Noted } from '../state/notes'
import type { Store } from '../state/store'

const MEMORY: { [of in Noted]: string } = { remark: 'cordboard.drafts', disposition: 'cordboard.choices' }

/** Notes that the switch does not have yet survive a reload of the page. */
export class Drafts {
  constructor(store: Store) {
    noted.forEach(of => store.dispatch({ type: 'draftsRestored', of, drafts: read(of) }))
    store.subscribe((state, before) => {
      noted.forEach(of => {
        if (draftsOf(state, of) !== draftsOf(before, of)) write(of, draftsOf(state, of))
      })
    })
  }
}

function read(of: Noted): Kept {
  const drafts: Kept = {}
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(MEMORY[of]) || '{}')
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

function write(of: Noted, drafts: Kept) {
  const kept: { [call: string]: string } = {}
  Object.keys(drafts).forEach(call => {
    const draft = drafts[call]
    if (draft) kept[call] = draft.text
  })
  try {
    sessionStorage.setItem(MEMORY[of], JSON.stringify(kept))
  } catch (_) {
    // The text is still in the page and on its way.
  }
}
