import { en } from './en'
import { zh } from './zh'

export type Key = keyof typeof en
export type Words = { readonly [key in Key]: string }
export type Language = 'en' | 'zh'

export const languages: { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'zh', name: '中文' },
]

const words: { [language in Language]: Words } = { en, zh }
const MEMORY = 'cordboard.language'
const listeners = new Set<() => void>()
let current: Language = 'en'

/** The language of before, else the browser's, else English. */
export function startLanguage() {
  const kept = remembered()
  const browser = (navigator.language || '').toLowerCase().indexOf('zh') === 0 ? 'zh' : 'en'
  apply(kept || browser)
}

export function language(): Language {
  return current
}

/** For dates and numbers. */
export function locale(): string {
  return current === 'zh' ? 'zh-CN' : 'en-GB'
}

export function setLanguage(to: Language) {
  try {
    localStorage.setItem(MEMORY, to)
  } catch (_) {
    // Private windows may forbid it: the choice lasts for the page then.
  }
  apply(to)
  listeners.forEach(listener => listener())
}

export function onLanguage(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The words for a key, with `{name}` filled in. */
export function t(key: Key, values?: { [name: string]: string | number }): string {
  return fill(words[current][key], values)
}

export function fill(text: string, values?: { [name: string]: string | number }): string {
  if (!values) return text
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return value === undefined ? whole : String(value)
  })
}

/** The words for a code of the switch, or what else is given. */
export function translated(prefix: 'status' | 'failed' | 'unanswered' | 'error' | 'by' | 'reason' | 'unreached' | 'records.type', code: string, otherwise: string): string {
  const known: { [key: string]: string | undefined } = words[current]
  return known[`${prefix}.${code}`] || otherwise
}

function remembered(): Language | null {
  try {
    const kept = localStorage.getItem(MEMORY)
    return kept === 'en' || kept === 'zh' ? kept : null
  } catch (_) {
    return null
  }
}

function apply(to: Language) {
  current = to
  if (typeof document !== 'undefined') document.documentElement.lang = to === 'zh' ? 'zh-CN' : 'en'
}
