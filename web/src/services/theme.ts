export type Theme = 'auto' | 'light' | 'dark'

const MEMORY = 'cordboard.theme'
const listeners = new Set<() => void>()
let current: Theme = 'auto'

export function startTheme() {
  try {
    const kept = localStorage.getItem(MEMORY)
    if (kept === 'light' || kept === 'dark') current = kept
  } catch (_) {
    // Without storage the system decides.
  }
  apply()
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  system.addEventListener('change', () => listeners.forEach(listener => listener()))
}

/** For what is drawn by hand and not by CSS. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function theme(): Theme {
  return current
}

export function setTheme(to: Theme) {
  current = to
  try {
    localStorage.setItem(MEMORY, to)
  } catch (_) {
    // It lasts for the page then.
  }
  apply()
}

function apply() {
  const root = document.documentElement
  if (current === 'auto') root.removeAttribute('data-theme')
  else root.setAttribute('data-theme', current)
  listeners.forEach(listener => listener())
}
