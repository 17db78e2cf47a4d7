import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fill, type Key } from '../src/i18n'
import { en } from '../src/i18n/en'
import { zh } from '../src/i18n/zh'

const root = join(__dirname, '..', 'src')
const sources = walk(root)
  .filter(file => /\.tsx?$/.test(file) && file.indexOf(join('src', 'i18n')) < 0)
  .map(file => readFileSync(file, 'utf8'))
  .join('\n')
const keys = Object.keys(en) as Key[]

function walk(folder: string): string[] {
  return readdirSync(folder).reduce<string[]>((files, name) => {
    const path = join(folder, name)
    return files.concat(statSync(path).isDirectory() ? walk(path) : [path])
  }, [])
}

function places(text: string): string[] {
  return (text.match(/\{\w+\}/g) || []).sort()
}

// F5
describe('the languages', () => {
  it('have the same keys, in the same order', () => {
    expect(Object.keys(zh)).toEqual(keys)
  })

  it('leave nothing empty, and fill the same places', () => {
    for (const key of keys) {
      expect(en[key].trim(), key).not.toBe('')
      expect(zh[key].trim(), key).not.toBe('')
      expect(places(zh[key]), key).toEqual(places(en[key]))
    }
  })

  it('are really two', () => {
    const alike = keys.filter(key => en[key] === zh[key])
    expect(alike).toEqual(['app.name', 'nav.ms', 'call.mos', 'player.download'])
  })

  it('have no key that the page never shows', () => {
    const unused = keys.filter(key => {
      if (sources.indexOf(`'${key}'`) >= 0 || sources.indexOf(`"${key}"`) >= 0) return false
      // Built from a state's or a code's name: `state.${…}`, `call.${…}.says`, translated('status', …).
      const parts = key.split('.')
      const patterns = parts.map((_, at) => parts.map((part, index) => (index === at ? '\\$\\{[^}]+\\}' : part)).join('.'))
      if (patterns.some(pattern => new RegExp('`' + pattern + '`').test(sources))) return false
      return !new RegExp(`translated\\('${parts[0] || ''}'`).test(sources)
    })
    expect(unused).toEqual([])
  })

  it('fill places by name, and show one that nobody filled', () => {
    expect(fill('{a} and {b}', { a: 1, b: 'x' })).toBe('1 and x')
    expect(fill('{a}', {})).toBe('{a}')
  })
})
