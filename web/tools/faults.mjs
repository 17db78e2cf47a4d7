// Looks for what nobody should have to look at, in every page and state against the mock: `npm run faults [only]`. Needs a build and /usr/bin/chromium.
// - axe's accessibility faults, light and dark
// - text that does not fit its place and zones that scroll sideways: English and Chinese, at 1280×720 and 1600×900
// - parts that do not stay where they are while calls come and go
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import { serve } from '../mock/server.mjs'
import { misfits } from './misfits.mjs'
import { shotsOf } from './shots.mjs'

const AT_ONCE = 3
const SMALL = { width: 1280, height: 720 }
const LARGE = { width: 1600, height: 900 }
/** What stays where it is, whatever happens to calls: in these shots, these parts; of those whose text has its own width, the right edge. */
const STEADY = [
  {
    shots: ['available', 'busy', 'ringing', 'automatic', 'connecting', 'incall', 'onhold', 'muted', 'dialling', 'ringing-out', 'transfer', 'consult-third', 'service-running', 'keypad', 'acw', 'ended', 'call-failed', 'internal'],
    parts: ['.bar', '.desk > :nth-child(1)', '.desk > :nth-child(2)', '.desk > :nth-child(3)', '[data-test=outbound-call]', '[data-test=records-link]'],
    edges: ['[data-test=state-menu]'],
  },
  {
    shots: ['connecting', 'incall', 'onhold', 'muted', 'transfer', 'consult-third', 'consult-all', 'service-flows', 'service-running'],
    parts: ['.calls', '[data-test=transfer]', '[data-test=consult]', '[data-test=self-service]', '[data-test=open-keypad]', '[data-test=hang-up]'],
    edges: ['.timer'],
  },
]

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const only = process.argv[2] ? new RegExp(process.argv[2]) : /./
const server = await serve(0)
const flags = ['--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required']
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: flags })
const shots = Object.entries(shotsOf(`http://127.0.0.1:${server.address().port}`)).filter(([name]) => only.test(name))
const faults = []
/** Where the parts are, by shot. */
const places = {}

for (const language of ['en', 'zh']) {
  const waiting = [...shots]
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    const context = await openContext(language)
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      // On a busy machine a page may come too late once.
      await visit(context, language, ...next).catch(() => visit(context, language, ...next)).catch(error => faults.push(`${next[0]}, ${language}: ${error.message}`))
    }
    await context.close()
  }))
}
await browser.close()
server.close()
for (const { shots, parts, edges } of STEADY) {
  const seen = shots.filter(name => places[name])
  for (const part of [...parts, ...edges]) {
    const odd = seen.find(name => places[name][part] !== places[seen[0]][part])
    if (odd) faults.push(`${part} moves: ${places[seen[0]][part]} in ${seen[0]}, ${places[odd][part]} in ${odd}`)
  }
}
faults.forEach(fault => console.error(fault))
console.log(`${shots.length} pages, ${faults.length} faults`)
process.exit(faults.length ? 1 : 0)

async function openContext(language) {
  // What is fading in would be measured half transparent.
  const context = await browser.newContext({ viewport: SMALL, bypassCSP: true, reducedMotion: 'reduce' })
  await context.addInitScript(kept => {
    if (window.top !== window) return
    localStorage.clear()
    localStorage.setItem('cordboard.theme', 'light')
    localStorage.setItem('cordboard.language', kept)
  }, language)
  return context
}

async function visit(context, language, name, go) {
  const page = await context.newPage()
  const found = []
  const look = async (what, looks) => found.push(...(await looks).map(each => `${name}, ${language}, ${what}: ${each}`))
  try {
    await go(page)
    await page.waitForFunction(() => document.body.innerText && !document.querySelector('.waiting__dots'))
    await look('1280×720', page.evaluate(misfits))
    if (language === 'en') {
      places[name] = await page.evaluate(whereAre, STEADY.map(({ parts, edges }) => ({ parts, edges })))
      await page.evaluate(axe)
      await look('light', accessibility(page))
      await page.evaluate(() => document.documentElement.setAttribute('data-theme', 'dark'))
      await look('dark', accessibility(page, ['color-contrast']))
    }
    await page.setViewportSize(LARGE)
    await look('1600×900', page.evaluate(misfits))
  } finally {
    await page.close()
  }
  faults.push(...found)
}

async function accessibility(page, rules) {
  const { violations } = await page.evaluate(runOnly => window.axe.run(runOnly ? { runOnly } : {}), rules)
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any, all, none }) => `${id} (${impact}) at ${html.slice(0, 120)}: ${[...any, ...all, ...none].map(({ message }) => message).join('; ')}`),
  )
}

/** In the page: where these parts are, and how large. */
function whereAre(groups) {
  const places = {}
  const look = (part, tell) => {
    const element = document.querySelector(part)
    places[part] = element ? tell(element.getBoundingClientRect()).map(Math.round).join(' ') : 'nowhere'
  }
  for (const { parts, edges } of groups) {
    parts.forEach(part => look(part, ({ x, y, width, height }) => [x, y, width, height]))
    edges.forEach(part => look(part, ({ right, top }) => [right, top]))
  }
  return places
}
