import { beforeEach, describe, expect, it } from 'vitest'
import type { ToWorkstation } from '../src/generated/wire'
import { Remarks } from '../src/services/remarks'
import type { Outcome } from '../src/services/socket'
import { createStore, type Store } from '../src/state/store'
import { FakeClock } from './clock'
import { session, snapshot } from './fixtures'

let clock: FakeClock
let store: Store
let remarks: Remarks
let sent: string[]
let ids: number
let answers: ((outcome: Outcome) => void)[]

beforeEach(() => {
  clock = new FakeClock()
  store = createStore()
  sent = []
  ids = 0
  answers = []
  remarks = new Remarks(
    store,
    (call, text) => {
      sent.push(text)
      const id = ++ids
      store.dispatch({ type: 'asked', id, ask: { type: 'remark', call, text } })
      return new Promise(resolve => {
        answers.push(outcome => {
          if (outcome.is === 'done') told({ type: 'done', id })
          else if (outcome.is === 'refused') told({ type: 'refused', id, code: outcome.code, message: outcome.message })
          resolve(outcome)
        })
      })
    },
    clock.after,
    clock.cancel,
  )
  told(snapshot({ sessions: [session('c1')] }))
})

function told(tell: ToWorkstation) {
  store.dispatch({ type: 'told', tell, at: 0 })
}

function type(text: string) {
  store.dispatch({ type: 'typed', call: 'c1', text })
}

// D8
describe('a remark', () => {
  it('is sent once the typing pauses, not with each key', async () => {
    type('h')
    await clock.pass(300)
    type('he')
    await clock.pass(599)
    expect(sent).toEqual([])
    await clock.pass(1)
    expect(sent).toEqual(['he'])
  })

  it('is sent again when more was typed meanwhile, so that the last text stands', async () => {
    type('he')
    await clock.pass(600)
    type('hello')
    await clock.pass(600)
    expect(sent).toEqual(['he'])
    answers[0]?.({ is: 'done' })
    await clock.pass(600)
    expect(sent).toEqual(['he', 'hello'])
    answers[1]?.({ is: 'done' })
    await clock.pass(60_000)
    expect(sent).toEqual(['he', 'hello'])
    expect(store.get().drafts).toEqual({})
  })

  it('is sent at once when the field is left', async () => {
    type('he')
    void remarks.flush('c1')
    expect(sent).toEqual(['he'])
    await clock.pass(5000)
    expect(sent).toEqual(['he'])
  })

  it('waits for the connection, and goes with it', async () => {
    store.dispatch({ type: 'lost', at: 0 })
    type('typed in the dark')
    await clock.pass(60_000)
    expect(sent).toEqual([])
    told(snapshot({ sessions: [session('c1')] }))
    await clock.pass(0)
    expect(sent).toEqual(['typed in the dark'])
  })

  it('that was on its way when the socket went is sent again', async () => {
    type('he')
    await clock.pass(600)
    store.dispatch({ type: 'lost', at: 0 })
    store.dispatch({ type: 'unanswered' })
    answers[0]?.({ is: 'lost' })
    told(snapshot({ sessions: [session('c1')] }))
    await clock.pass(0)
    expect(sent).toEqual(['he', 'he'])
  })

  it('that was refused is kept, and not pressed upon the switch', async () => {
    type('he')
    await clock.pass(600)
    answers[0]?.({ is: 'refused', code: 'busy', message: '' })
    await clock.pass(9000)
    expect(sent).toHaveLength(1)
    expect(store.get().drafts.c1?.text).toBe('he')
    await clock.pass(2000)
    expect(sent).toHaveLength(2)
  })
})

describe('the store', () => {
  it('lets every listener hear of events in their order, also of those that a listener dispatches', () => {
    const heard: (string | null)[] = []
    store.subscribe(state => {
      if (state.selected === 'a') store.dispatch({ type: 'selected', call: 'b' })
    })
    store.subscribe(state => heard.push(state.selected))
    store.dispatch({ type: 'selected', call: 'a' })
    expect(heard).toEqual(['a', 'b'])
  })
})
