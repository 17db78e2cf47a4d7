import { expect, it } from 'vitest'
import { offer, session, snapshot } from './fixtures'

/** What the mock tells; it is no TypeScript. */
interface Mock {
  agent(state: string): object
  session(call: string, phase: string): object
  offer(): object
}

it('the mock tells every field of the protocol and no other', async () => {
  const mock = (await import('../mock/scenes.mjs' as string)) as Mock
  const told = snapshot()
  const agent = told.type === 'snapshot' ? told.agent : {}
  const names = (thing: object) => Object.keys(thing).sort()
  expect(names(mock.agent('available'))).toEqual(names(agent))
  expect(names(mock.session('c1', 'talking'))).toEqual(names(session('c1')))
  expect(names(mock.offer())).toEqual(names(offer))
})
