// Development only: a switch without telephony that speaks the workstation's protocol, for screenshots and for working on the page.
// `node mock/server.mjs [port]`; `?state=` of the page chooses the scene through the `cordboard-scene` cookie that `/scene/<name>` sets.
import { createServer } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { scene } from './scenes.mjs'
import { recordPage, silence, waveform } from './records.mjs'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws:; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

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
    if (url.pathname.startsWith('/api/v1/')) return api(url, request, name, json, response)
    const path = join(dist, url.pathname === '/' ? 'index.html' : url.pathname)
    if (!path.startsWith(dist) || !existsSync(path)) return json(404, { code: 'not_found', message: '' })
    response.writeHead(200, { 'content-type': types[extname(path)] || 'application/octet-stream', 'content-security-policy': policy })
    response.end(readFileSync(path))
  })
  const sockets = new WebSocketServer({ server, path: '/ws', verifyClient: info => !['login', 'password'].includes(cookie(info.req, 'cordboard-scene') || 'offline') })
  sockets.on('connection', (socket, request) => scene(cookie(request, 'cordboard-scene') || 'offline', socket))
  return new Promise(resolve => server.listen(port, '127.0.0.1', () => resolve(server)))
}

const me = { name: 'Mei Lin', nickname: 'Mei', number: '2014', email: 'mei.lin@northlight.example', role: 'agent', mustChangePassword: false }

function api(url, request, name, json, response) {
  const what = url.pathname.slice(8)
  const out = name.startsWith('login')
  if (what === 'hello') return json(200, { version: '0.1.0', demo: true })
  if (what === 'me') return out ? json(401, { code: 'not_logged_in', message: 'Sign in first.' }) : json(200, { ...me, mustChangePassword: name === 'password' })
  if (what === 'login') {
    let body = ''
    request.on('data', part => (body += part))
    request.on('end', () => {
      const form = JSON.parse(body)
      if (form.password === 'wrong') return json(401, { code: 'wrong_credentials', message: 'E-mail and password do not match.' })
      json(200, { ...me, mustChangePassword: form.password === 'once' })
    })
    return
  }
  if (what === 'password' || what === 'logout' || what === 'demo/call') return json(204)
  if (what === 'records') return name === 'records-failed' ? json(503, { code: 'failed', message: '' }) : json(200, recordPage(url.searchParams, name))
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
