import { describe, expect, it } from 'vitest'
import { matchSound, type SoundFacts } from '../src/state/sound'

const working: SoundFacts = { needed: true, owner: true, peer: 'up', alive: true, elsewhere: false }

// F6, F7
describe('after a snapshot', () => {
  it('an agent who is offline or has a phone has no sound', () => {
    expect(matchSound({ ...working, needed: false })).toBe('shut')
  })

  it('a path that both ends believe in is kept: a call does not notice that the socket was away', () => {
    expect(matchSound(working)).toBe('keep')
    expect(matchSound({ ...working, peer: 'connecting' })).toBe('keep')
  })

  it('a path that the switch has lost is replaced', () => {
    expect(matchSound({ ...working, peer: 'lost' })).toBe('renew')
    expect(matchSound({ ...working, peer: 'none' })).toBe('renew')
  })

  it('a page that was loaded anew makes its own', () => {
    expect(matchSound({ ...working, alive: false })).toBe('bringUp')
    expect(matchSound({ ...working, alive: false, owner: false })).toBe('bringUp')
  })

  it('a second tab leaves it to the first', () => {
    expect(matchSound({ ...working, owner: false, alive: false, elsewhere: true })).toBe('give')
  })

  it('a tab whose old socket the switch still believes in takes the sound to its new one', () => {
    expect(matchSound({ ...working, owner: false })).toBe('renew')
  })
})
