// The built page must run in Chrome 70 (F5): looks for syntax and calls that came later.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const later = [
  ['js', /[\w)\]]\?\.[A-Za-z_$[(]/, 'optional chaining (Chrome 80)'],
  ['js', /\?\?=?/, 'nullish coalescing (Chrome 80)'],
  ['js', /\.(replaceAll|matchAll|allSettled|fromEntries|at|flat|flatMap|trimStart|trimEnd|findLast)\(/, 'a method later than Chrome 70, or close to it'],
  ['js', /\b(globalThis|structuredClone|BigInt|WeakRef)\b|(?<!\|\|)queueMicrotask/, 'a global later than Chrome 70'],
  ['js', /[\s{;]#\w+\s*[=(;]/, 'private class fields (Chrome 74)'],
  ['css', /:has\(|:is\(|:where\(|color-mix\(|clamp\(|(?:^|[;{\s])inset:|aspect-ratio|:not\([^)]*,/, 'CSS later than Chrome 70'],
  ['html', /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/, 'inline script or style (CSP)'],
]
const files = readdirSync(dist, { recursive: true }).map(String)
let bad = 0
for (const file of files) {
  const kind = file.split('.').pop()
  const checks = later.filter(([of]) => of === kind)
  if (!checks.length) continue
  const text = readFileSync(join(dist, file), 'utf8')
  for (const [, pattern, what] of checks) {
    const found = pattern.exec(text)
    if (found) {
      bad++
      console.error(`${file}: ${what}: …${text.slice(Math.max(0, found.index - 40), found.index + 60)}…`)
    }
  }
}
if (bad) process.exit(1)
console.log(`${files.length} files, nothing later than Chrome 70`)
