import { describe, expect, it } from 'vitest'
import { reportOf, worst, type Findings } from '../src/state/findings'
import { bandwidth, browserOf, gradeNetwork, pathBetween, type Network } from '../src/state/network'

const good: Network = { roundTrip: 31, path: { loss: 0, jitter: 4, roundTrip: 30 }, down: 9000, up: 4000, address: '127.0.0.1:8443' }
const says = (more: Partial<Network>) => {
  const { grade, says: word } = gradeNetwork({ ...good, ...more })
  return [grade, word]
}

describe('the network to the switch (F4)', () => {
  it('is judged by what G.711, Opus and video need; the narrower way counts', () => {
    expect(bandwidth({ ...good, down: 500, up: 90 })).toBe(90)
    expect(says({})).toEqual(['ok', 'fine'])
    expect(says({ up: 959 })).toEqual(['ok', 'noVideo'])
    expect(says({ down: 95 })).toEqual(['ok', 'noVideo'])
    expect(says({ down: 94 })).toEqual(['warn', 'opus'])
    expect(says({ down: 59 })).toEqual(['fail', 'slow'])
    expect(says({ up: null })).toEqual(['warn', 'unmeasured'])
  })

  it('is judged by what was lost and how late it came', () => {
    expect(says({ path: { loss: 3, jitter: 4, roundTrip: 30 } })).toEqual(['warn', 'lossy'])
    expect(says({ path: { loss: 12, jitter: 4, roundTrip: 30 } })).toEqual(['fail', 'broken'])
    expect(says({ path: { loss: 0, jitter: 60, roundTrip: 30 } })).toEqual(['warn', 'shaky'])
    expect(says({ path: { loss: 0, jitter: 4, roundTrip: 700 } })).toEqual(['warn', 'late'])
    expect(says({ roundTrip: 700 })).toEqual(['warn', 'late'])
    expect(says({ path: null })).toEqual(['fail', 'blocked'])
    expect(says({ roundTrip: null, path: null })).toEqual(['fail', 'away'])
  })

  it('loses what is missing between two counts', () => {
    const from = { received: 20, lost: 2, missed: 1, jitter: 1, roundTrip: null }
    const to = { received: 210, lost: 12, missed: 3, jitter: 5, roundTrip: 8 }
    expect(pathBetween(from, to, true)).toEqual({ loss: 5, jitter: 5, roundTrip: 8 })
    expect(pathBetween(from, { ...to, lost: 2, missed: 11 }, true)).toMatchObject({ loss: 5 })
    expect(pathBetween({ ...from, missed: null }, { ...to, missed: null }, null)).toMatchObject({ loss: 5 })
  })

  it('carries no voice when nothing comes back, or only silence', () => {
    const from = { received: 20, lost: 0, missed: 0, jitter: 1, roundTrip: null }
    expect(pathBetween(from, from, true)).toBeNull()
    expect(pathBetween(from, { ...from, received: 220 }, false)).toBeNull()
    expect(pathBetween(from, { ...from, received: 220 }, null)).not.toBeNull()
  })
})

describe('a browser', () => {
  it('is known by its user agent, and is new enough or not', () => {
    const chrome = (version: number) => `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`
    expect(browserOf(chrome(130))).toEqual({ name: 'Chrome', version: 130, grade: 'ok' })
    expect(browserOf(chrome(69)).grade).toBe('fail')
    expect(browserOf(`${chrome(130)} Edg/130.0.0.0`).name).toBe('Edge')
    expect(browserOf('Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0')).toEqual({ name: 'Firefox', version: 130, grade: 'ok' })
    expect(browserOf('Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15').grade).toBe('warn')
  })
})

describe('the verdict', () => {
  const ok = { grade: 'ok' as const, text: 'fine', help: '' }
  const all: Findings = { microphone: ok, network: ok, browser: ok, webrtc: ok }

  it('waits for what calls need, and not for the rest', () => {
    expect(worst({ ...all, network: undefined }).grade).toBeNull()
    expect(worst(all).grade).toBe('ok')
    expect(worst({ ...all, speaker: { ...ok, grade: 'warn' } }).grade).toBe('ok')
    expect(worst({ ...all, microphone: { grade: 'warn', text: 'silent', help: '' } })).toEqual({ grade: 'warn', text: 'silent' })
  })

  it('is bad as soon as one thing is', () => {
    expect(worst({ microphone: { grade: 'fail', text: 'blocked', help: '' } })).toEqual({ grade: 'fail', text: 'blocked' })
    expect(worst({ ...all, speaker: { grade: 'fail', text: 'not heard', help: '' } }).grade).toBe('fail')
  })

  it('comes with a report in plain lines', () => {
    const report = reportOf({ microphone: { ...ok, help: 'and good' } }, part => part.toUpperCase(), ['today'], ['Loss: 0 %'])
    expect(report.split('\n').slice(0, 4)).toEqual(['Cordboard', 'today', '[ok] MICROPHONE: fine – and good', '[…] SPEAKER: …'])
    expect(report).toMatch(/Loss: 0 %$/)
  })
})
