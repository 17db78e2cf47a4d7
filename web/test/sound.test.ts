import { describe, expect, it } from 'vitest'
import { matchSound, type SoundFacts } from '../src/state/sound'

const online: SoundFacts = { online: true, owner: true, peer: 'up', alive: true, elsewhere: false }

describe('after a snapshot', () => {
  it('an agent who is offline has no sound', () => {
    expect(matchSound({ ...online, online: false })).toBe('shut')
  })

  it('a path that both ends believe in is kept: a call does not notice that the socket was away', () => {
    expect(matchSound(online)).toBe('keep')
    expect(matchSound({ ...online, peer: 'connecting' })).toBe('keep')
  })

  it('a path that the switch has lost is replaced', () => {
    expect(matchSound({ ...online, peer: 'lost' })).toBe('renew')
    expect(matchSound({ ...online, peer: 'none' })).toBe('renew')
  })

  it('a page that was loaded anew makes its own', () => {
    expect(matchSound({ ...online, alive: false })).toBe('bringUp')
    expect(matchSound({ ...online, alive: false, owner: false })).toBe('bringUp')
  })

  it('a second tab leaves it to the first', () => {
    expect(matchSound({ ...online, owner: false, alive: false, elsewhere: true })).toBe('give')
  })

  it('a tab whose old socket the switch still believes in takes the sound to its new one', () => {
    expect(matchSound({ ...online, owner: false })).toBe('renew')
  })
})
