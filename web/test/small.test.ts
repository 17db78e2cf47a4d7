import { describe, expect, it } from 'vitest'
import { columns } from '../src/components/waveform'
import { dayStart, dateField } from '../src/components/time'
import { spell } from '../src/services/clock'
import { looksLikeNumber } from '../src/services/code'
import { query } from '../src/services/http'
import { passwordGood, passwordRules } from '../src/state/password'
import { bars, qualityBars } from '../src/state/select'

describe('a password (A6)', () => {
  it('needs 8 to 20 characters, a letter, a digit, a special character, and no space', () => {
    expect(passwordGood('north-light7')).toBe(true)
    expect(passwordRules('nor-7')).toMatchObject({ length: false })
    expect(passwordRules('north-light-of-the-7th')).toMatchObject({ length: false })
    expect(passwordRules('1234-5678')).toMatchObject({ letter: false })
    expect(passwordRules('north-light')).toMatchObject({ digit: false })
    expect(passwordRules('northlight7')).toMatchObject({ special: false })
    expect(passwordRules('north light-7')).toMatchObject({ spaces: false })
    expect(passwordRules('')).toEqual({ length: false, letter: false, digit: false, special: false, spaces: false })
  })
})

describe('times', () => {
  it('are spelled as minutes and hours, never negative', () => {
    expect([0, 999, 61_000, 599_000, 3_729_000, -5000].map(spell)).toEqual(['0:00', '0:00', '1:01', '9:59', '1:02:09', '0:00'])
  })

  it('of a date field are the days here, whole', () => {
    const from = dayStart('2026-03-29')
    const to = dayStart('2026-03-29', 1)
    expect(from !== null && to !== null && to > from).toBe(true)
    expect(dateField(from || 0)).toBe('2026-03-29')
    expect(dateField(to || 0)).toBe('2026-03-30')
    expect(dayStart('')).toBeNull()
  })
})

// G1
describe('the records’ query', () => {
  it('names what is set, escaped', () => {
    expect(query({ page: 0, from: null, caller: '77', status: 'a&b' })).toBe('?page=0&caller=77&status=a%26b')
    expect(query({})).toBe('')
  })
})

describe('bars', () => {
  it('fall with the round trip and with the quality', () => {
    expect([null, 20, 150, 300, 900].map(bars)).toEqual([0, 4, 3, 2, 1])
    expect([4.4, 3.7, 3.2, 2].map(qualityBars)).toEqual([4, 3, 2, 1])
  })
})

// G4
describe('the waveform', () => {
  it('shows the loudest slice of each column, few or many', () => {
    expect(columns([0.1, 0.9, 0.2, 0.3], 2)).toEqual([0.9, 0.3])
    expect(columns([0.5], 3)).toEqual([0.5, 0.5, 0.5])
    expect(columns([], 2)).toEqual([0, 0])
  })
})

// A2
describe('a mobile number', () => {
  it('has a country code, and may be typed with spaces, hyphens, dots and brackets', () => {
    for (const good of ['+447700900162', ' +44 (7700) 900-162 ', '0044 7700.900162']) expect(looksLikeNumber(good), good).toBe(true)
    for (const bad of ['', '07700900162', '447700900162', '+44', '+0447700900162', '+1234567890123456', '+44770090016x']) expect(looksLikeNumber(bad), bad).toBe(false)
  })
})
