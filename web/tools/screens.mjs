// Pictures of every page and state, against the mock: `npm run screens [folder] [only]`. Needs a build and /usr/bin/chromium.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { serve } from '../mock/server.mjs'
import { shotsOf } from './shots.mjs'

const folder = process.argv[2] || join(tmpdir(), 'cordboard-screens')
const only = process.argv[3] ? new RegExp(process.argv[3]) : /./
mkdirSync(folder, { recursive: true })
const server = await serve(0)
const base = `http://127.0.0.1:${server.address().port}`
const flags = ['--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required']
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })

const looks = [
  { suffix: '', theme: 'light', language: 'en' },
  { suffix: '-dark', theme: 'dark', language: 'en' },
  { suffix: '-zh', theme: 'light', language: 'zh' },
  { suffix: '-zh-dark', theme: 'dark', language: 'zh' },
]
for (const look of looks) {
  for (const [name, go] of Object.entries(shotsOf(base))) {
    if (!only.test(name + look.suffix)) continue
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
    await context.addInitScript(({ theme, language }) => {
      if (window.top !== window) return
      localStorage.setItem('cordboard.theme', theme)
      localStorage.setItem('cordboard.language', language)
    }, look)
    const page = await context.newPage()
    page.on('pageerror', error => console.error(name + look.suffix, error.message))
    page.on('console', message => message.type() === 'error' && !/401|422|502|503|WebSocket/.test(message.text()) && console.error(name + look.suffix, message.text()))
    try {
      await go(page)
      await page.waitForTimeout(500)
      await page.screenshot({ path: join(folder, `${name}${look.suffix}.png`) })
    } catch (error) {
      console.error(name + look.suffix, error.message)
    }
    await context.close()
  }
}
await browser.close()
server.close()
process.exit(0)
