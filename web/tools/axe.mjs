// Looks for accessibility faults in every page and state, light and dark, against the mock: `npm run axe [only]`. Needs a build and /usr/bin/chromium.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import { serve } from '../mock/server.mjs'
import { shotsOf } from './shots.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const only = process.argv[2] ? new RegExp(process.argv[2]) : /./
const server = await serve(0)
const base = `http://127.0.0.1:${server.address().port}`
const flags = ['--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required']
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })
let faults = 0
let pages = 0
for (const theme of ['light', 'dark']) {
  for (const [name, go] of Object.entries(shotsOf(base))) {
    if (!only.test(name)) continue
    // What is fading in would be measured half transparent.
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, bypassCSP: true, reducedMotion: 'reduce' })
    await context.addInitScript(kept => window.top === window && localStorage.setItem('cordboard.theme', kept), theme)
    const page = await context.newPage()
    await go(page)
    await page.waitForTimeout(500)
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => window.axe.run())
    pages++
    for (const { id, impact, nodes } of violations) {
      faults += nodes.length
      console.error(`${name}, ${theme}: ${id} (${impact})`)
      nodes.slice(0, 4).forEach(node => console.error(`  ${node.html.slice(0, 120)}\n    ${[...node.any, ...node.all, ...node.none].map(check => check.message).join('; ')}`))
    }
    await context.close()
  }
}
await browser.close()
server.close()
console.log(`${pages} pages, ${faults} faults`)
process.exit(faults ? 1 : 0)
