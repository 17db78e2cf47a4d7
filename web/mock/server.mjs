// Development only: a switch without telephony that speaks the workstation's protocol, for screenshots and for working on the page.
// `node mock/server.mjs [port]`; `?state=` of the page chooses the scene through the `cordboard-scene` cookie that `/scene/<name>` sets.
import { createServer } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { blocklist, outbox } from './lists.mjs'
import { portrait, roleOf, scene } from './scenes.mjs'
import { recordPage, silence, waveform } from './records.mjs'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws:; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-src http://localhost:*; frame-ancestors 'none'"

function cookie(request, name) {
  const found = new RegExp(`(?:^|;\\s*)${name}=([^;]*)`).exec(request.headers.cookie || '')
  return found ? decodeURIComponent(found[1]) : null
}

export function serve(port) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock')
    const name = cookie(request, 'cordboard-scene') || 'offline'
    const json = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body === undefined ? '' : JSON.stringify(body))
    }
    if (url.pathname.startsWith('/scene/')) {
      response.writeHead(302, { location: url.searchParams.get('to') || '/', 'set-cookie': `cordboard-scene=${url.pathname.slice(7)}; Path=/` })
      return response.end()
    }
    if (url.pathname === '/crm') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      return response.end(crmPage(url.searchParams))
    }
    if (url.pathname.startsWith('/api/v1/')) return api(url, request, name, json, response)
    const path = join(dist, url.pathname === '/' ? 'index.html' : url.pathname)
    if (!path.startsWith(dist) || !existsSync(path)) return json(404, { code: 'not_found', message: '' })
    response.writeHead(200, { 'content-type': types[extname(path)] || 'application/octet-stream', 'content-security-policy': policy })
    response.end(readFileSync(path))
  })
  const sockets = new WebSocketServer({ server, path: '/ws', verifyClient: info => !['login', 'complete', 'completed'].includes(cookie(info.req, 'cordboard-scene') || 'offline') })
  sockets.on('connection', (socket, request) => scene(cookie(request, 'cordboard-scene') || 'offline', socket, request.headers.host))
  return new Promise(resolve => server.listen(port, '127.0.0.1', () => resolve(server)))
}

const me = { name: 'Mei Lin', nickname: 'Mei', number: '2014', email: 'mei.lin@northlight.example', role: 'agent', mobile: '+44 7700 •••• 62', avatar: null, mustChangePassword: false }

/** `complete` has no number yet; `completed` has one, and was reset. */
function whoIs(name) {
  const newcomer = name === 'complete' || name === 'completed'
  return { ...me, role: roleOf(name), avatar: name === 'portrait' ? portrait : null, nickname: newcomer ? null : me.nickname, mobile: name === 'complete' || name === 'unbound' ? null : me.mobile, mustChangePassword: newcomer }
}

/** Somebody else's page: it has its own look. */
const crmPage = places => `<!doctype html><meta charset="utf-8"><body style="font:14px/1.5 Georgia,serif;margin:20px;color:#333"><h3>Northlight CRM</h3><p>Caller <b>${places.get('from')}</b><br>Ticket for ${places.get('group')}, agent ${places.get('agent')}</p><p>Open orders: 48 2207, 48 1950</p>`

const shared = [
  { id: 1, name: 'Mei Lin', email: 'm•••@northlight.example' },
  { id: 2, name: 'Mei Lin', email: 'm•••@training.example' },
]

/** The code 000000 is wrong; the number that ends in 00 has no way to it. */
function posted(what, form, name, json) {
  const wrong = () => json(422, { code: 'wrong_code', message: '' })
  switch (what) {
    case 'login':
      if (form.password === 'wrong') return json(401, { code: 'wrong_credentials', message: 'E-mail and password do not match.' })
      return json(200, form.password === 'once' ? whoIs('complete') : me)
    case 'sms-login/code':
    case 'recovery/code':
    case 'mobile/code':
      return form.mobile.endsWith('00') ? json(502, { code: 'sms_failed', message: '' }) : json(204)
    case 'sms-login':
      if (form.code === '000000') return wrong()
      return json(200, form.account === null ? { me: null, accounts: shared } : { me, accounts: [] })
    case 'recovery/accounts':
      return form.code === '000000' ? wrong() : json(200, shared)
    case 'complete':
      return form.bind && form.bind.code === '000000' ? wrong() : json(200, me)
    case 'recovery':
    case 'mobile':
    case 'profile':
      return json(200, me)
    default:
      json(['password', 'logout', 'demo/call'].includes(what) ? 204 : 404)
  }
}

function api(url, request, name, json, response) {
  const what = url.pathname.slice(8)
  const out = name.startsWith('login')
  if (what === 'hello') return json(200, { version: '0.1.0', demo: true })
  if (what === 'me') return out ? json(401, { code: 'not_logged_in', message: 'Sign in first.' }) : json(200, whoIs(name))
  if (what === 'probe' && request.method === 'GET') return json(200, 'x'.repeat(Number(url.searchParams.get('bytes'))))
  if (what === 'probe') return request.on('end', () => json(204)).resume()
  if (what === 'avatar') {
    let size = 0
    request.on('data', part => (size += part.length))
    return request.on('end', () => json(200, { ...whoIs(name), avatar: size ? `${portrait}#${Date.now()}` : null }))
  }
  if (what === 'blocklist' && request.method === 'POST') return json(409, { code: 'conflict', message: '' })
  if (request.method === 'DELETE') return json(204)
  if (request.method === 'POST') {
    let body = ''
    request.on('data', part => (body += part))
    request.on('end', () => posted(what, body ? JSON.parse(body) : {}, name, json))
    return
  }
  if (what === 'flows') return json(200, name === 'talking' ? [] : ['Satisfaction survey', 'Order number', 'Data protection: consent to the recording of this call'].map((flow, id) => ({ id, name: flow, enabled: true })))
  if (what === 'records') return name === 'records-failed' ? json(503, { code: 'failed', message: '' }) : json(200, recordPage(url.searchParams, name))
  if (what === 'blocklist') return name === 'management-failed' ? json(503, { code: 'database_away', message: '' }) : json(200, blocklist(name, url.searchParams))
  if (what === 'sms-outbox') return json(200, outbox(name))
  if (what.endsWith('/waveform')) return json(200, waveform())
  if (what.endsWith('.mp3')) {
    response.writeHead(200, { 'content-type': 'audio/wav', 'accept-ranges': 'none' })
    return response.end(silence())
  }
  json(404, { code: 'not_found', message: '' })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.argv[2] || 8080)
  await serve(port)
  console.log(`mock on http://127.0.0.1:${port}/, scenes at /scene/<name>`)
}
