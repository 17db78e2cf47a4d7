// Pictures of every page and state, against the mock: `npm run screens [folder] [only]`. Needs a build and /usr/bin/chromium.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { serve } from '../mock/server.mjs'

const folder = process.argv[2] || join(tmpdir(), 'cordboard-screens')
const only = process.argv[3] ? new RegExp(process.argv[3]) : /./
mkdirSync(folder, { recursive: true })
const server = await serve(0)
const base = `http://127.0.0.1:${server.address().port}`
const flags = ['--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required']
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })

const at = name => page => page.goto(`${base}/scene/${name}`)
const hash = (name, to) => page => page.goto(`${base}/scene/${name}?to=/%23/${to}`)
const shots = {
  login: at('login'),
  'login-wrong': async page => {
    await at('login')(page)
    await page.fill('[data-test=email]', 'mei.lin@northlight.example')
    await page.fill('[data-test=password]', 'wrong')
    await page.click('[data-test=submit]')
    await page.waitForSelector('.err')
  },
  'login-first': async page => {
    await at('login')(page)
    await page.fill('[data-test=email]', 'mei.lin@northlight.example')
    await page.fill('[data-test=password]', 'once')
    await page.click('[data-test=submit]')
    await page.fill('[data-test=new-password]', 'northlight')
  },
  password: hash('available', 'password'),
  offline: at('offline'),
  fresh: at('fresh'),
  available: at('available'),
  busy: at('busy'),
  onbreak: at('onBreak'),
  resting: at('resting'),
  menu: async page => {
    await at('available')(page)
    await page.click('[data-test=state-menu]')
  },
  'menu-incall': async page => {
    await at('thenbusy')(page)
    await page.click('[data-test=state-menu]')
  },
  ringing: at('ringing'),
  automatic: at('automatic'),
  connecting: at('connecting'),
  incall: at('incall'),
  thenbusy: at('thenbusy'),
  onhold: at('onhold'),
  muted: at('muted'),
  lostaudio: at('lostaudio'),
  acw: at('acw'),
  acwopen: at('acwopen'),
  ended: async page => {
    await at('available')(page)
    await page.click('[data-test=ended-session]')
  },
  elsewhere: at('elsewhere'),
  takenover: at('takenover'),
  reconnecting: async page => {
    await at('reconnecting')(page)
    await page.waitForSelector('[data-test=reconnecting]')
    await page.waitForTimeout(1200)
  },
  blocked: async page => {
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))
    })
    await at('offline')(page)
    await page.click('[data-test=go-online]')
    await page.waitForSelector('[data-test=no-microphone]')
  },
  shortcuts: async page => {
    await at('available')(page)
    await page.waitForSelector('.statebtn')
    await page.keyboard.press('?')
  },
  toast: async page => {
    await at('available')(page)
    await page.click('[data-test=demo-call]')
  },
  records: hash('available', 'records'),
  'records-open': async page => {
    await hash('available', 'records')(page)
    await page.click('[data-test=record-row] >> nth=1')
  },
  'records-empty': hash('records-empty', 'records'),
  'records-nothing': async page => {
    await hash('available', 'records')(page)
    await page.fill('[data-test=filter-caller]', '000')
  },
  'records-failed': hash('records-failed', 'records'),
  'records-ringing': hash('ringing', 'records'),
  'records-incall': async page => {
    await at('incall')(page)
    await page.click('[data-test=records-link]')
  },
}
const looks = [
  { suffix: '', theme: 'light', language: 'en' },
  { suffix: '-dark', theme: 'dark', language: 'en' },
  { suffix: '-zh', theme: 'light', language: 'zh' },
]
for (const look of looks) {
  for (const [name, go] of Object.entries(shots)) {
    if (!only.test(name + look.suffix)) continue
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
    await context.addInitScript(({ theme, language }) => {
      localStorage.setItem('cordboard.theme', theme)
      localStorage.setItem('cordboard.language', language)
    }, look)
    const page = await context.newPage()
    page.on('pageerror', error => console.error(name + look.suffix, error.message))
    page.on('console', message => message.type() === 'error' && !/401|503|WebSocket/.test(message.text()) && console.error(name + look.suffix, message.text()))
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
