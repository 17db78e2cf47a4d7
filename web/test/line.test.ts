import { beforeEach, describe, expect, it, vi } from 'vitest'
import { isNarrow, lineMeasured } from '../src/services/line'
import type { Network } from '../src/state/network'

const kept = new Map<string, string>()
const network = (down: number | null, up: number | null): Network => ({ roundTrip: 5, path: null, down, up, address: null })

beforeEach(() => {
  kept.clear()
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) || null, setItem: (key: string, value: string) => kept.set(key, value) })
})

// F4
describe('a line too narrow for G.711', () => {
  it('has calls go by Opus from its measurement on, until it is wide again', () => {
    expect(isNarrow()).toBe(false)
    const found: [Network, boolean, boolean][] = [
      [network(500, 95), false, false],
      [network(500, 94), true, true],
      [network(60, 60), false, true],
      [network(null, 500), false, true],
      [network(500, 500), true, false],
    ]
    for (const [measured, changed, narrow] of found) expect([lineMeasured(measured), isNarrow()]).toEqual([changed, narrow])
  })

  it('is measured anew in a browser that keeps nothing', () => {
    vi.stubGlobal('localStorage', undefined)
    expect([isNarrow(), lineMeasured(network(50, 50))]).toEqual([false, true])
  })
})
