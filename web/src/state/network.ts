/** What a call needs on the wire, each way, in kbit/s (F4). */
export const NEEDS = { g711: 95, opus: 60, video: 960 } as const

/** Counters of the test path at one moment, since its beginning. */
export interface PathCount {
  /** What came back. */
  received: number
  /** What did not come back, by the numbers of what did. */
  lost: number
  /** What the switch missed of what was sent; null: not told by this browser. */
  missed: number | null
  /** Milliseconds; null: not told by this browser. */
  jitter: number | null
  roundTrip: number | null
}

/** What was measured of the way to the switch (F4). */
export interface Network {
  /** There and back over the workstation's socket, milliseconds. */
  roundTrip: number | null
  /** Of a real voice path that comes straight back; null: none came up. */
  path: { loss: number; jitter: number | null; roundTrip: number | null } | null
  /** kbit/s; null: could not be measured. */
  down: number | null
  up: number | null
  /** UDP address of the switch's voice port, as the answer names it. */
  address: string | null
}

/**
 * Loss in percent between two counts, and the latest jitter and round trip; null: what was sent did not come back.
 * `heard`: whether the tone was in what came back; null: this browser lets nobody listen before a click.
 */
export function pathBetween(from: PathCount, to: PathCount, heard: boolean | null): Network['path'] {
  const received = to.received - from.received
  // What the switch misses leaves a gap in what comes back, unless it is so long that the switch fills it with silence.
  const lost = Math.max(0, to.lost - from.lost, (to.missed || 0) - (from.missed || 0))
  if (received <= 0 || heard === false) return null
  return { loss: (100 * lost) / (received + lost), jitter: to.jitter, roundTrip: to.roundTrip }
}

/** The narrower way decides. */
export function bandwidth({ down, up }: Network): number | null {
  return down === null || up === null ? null : Math.min(down, up)
}

export type Grade = 'ok' | 'warn' | 'fail'

/** Whether the network is good enough for calls, and the gravest thing about it; the words are `devices.network.…`. */
export function gradeNetwork(network: Network): { grade: Grade; says: 'fine' | 'noVideo' | 'opus' | 'slow' | 'lossy' | 'broken' | 'late' | 'shaky' | 'blocked' | 'unmeasured' | 'away' } {
  if (network.roundTrip === null) return { grade: 'fail', says: 'away' }
  if (network.path === null) return { grade: 'fail', says: 'blocked' }
  const { loss, jitter } = network.path
  const trip = Math.max(network.roundTrip, network.path.roundTrip || 0)
  const width = bandwidth(network)
  if (width !== null && width < NEEDS.opus) return { grade: 'fail', says: 'slow' }
  if (loss >= 8) return { grade: 'fail', says: 'broken' }
  if (width !== null && width < NEEDS.g711) return { grade: 'warn', says: 'opus' }
  if (loss >= 2) return { grade: 'warn', says: 'lossy' }
  if (trip >= 400) return { grade: 'warn', says: 'late' }
  if (jitter !== null && jitter >= 40) return { grade: 'warn', says: 'shaky' }
  if (width === null) return { grade: 'warn', says: 'unmeasured' }
  return { grade: 'ok', says: width < NEEDS.video ? 'noVideo' : 'fine' }
}

/** Browser and version by the user agent, and whether calls are known to work there (F5). */
export function browserOf(agent: string): { name: string; version: number; grade: Grade } {
  const found = (name: string, pattern: RegExp, oldest: number) => {
    const match = pattern.exec(agent)
    const version = match ? Number(match[1]) : 0
    return match ? { name, version, grade: version >= oldest ? ('ok' as const) : ('fail' as const) } : null
  }
  return (
    found('Edge', /Edg\/(\d+)/, 70) ||
    found('Firefox', /Firefox\/(\d+)/, 68) ||
    found('Chrome', /Chrome\/(\d+)/, 70) ||
    Object.assign(found('Safari', /Version\/(\d+).*Safari/, 0) || { name: '', version: 0 }, { grade: 'warn' as const })
  )
}
