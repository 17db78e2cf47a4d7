// What the mock's switch tells, scene by scene.
const me = { name: 'Mei Lin', nickname: 'Mei', number: '2014', email: 'mei.lin@northlight.example', role: 'agent', mobile: '+44 7700 •••• 62', avatar: null, mustChangePassword: false }

/** A drawn face. */
export const portrait = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#d9b48f"/><circle cx="32" cy="26" r="13" fill="#7a4b2b"/><path d="M8 64c2-18 12-24 24-24s22 6 24 24" fill="#2c5964"/></svg>')}`

/** Scenes of the management page are an admin's. */
export const roleOf = name => (/^management/.test(name) ? 'admin' : 'agent')

const minutes = n => Math.round(n * 60000)

export function agent(state, more = {}) {
  return { state, device: 'browser', mobileAnswering: false, mobileOutbound: false, reason: null, since: Date.now() - minutes(2.2), then: null, departing: null, wrapUpEnds: null, wrapUpTotal: null, restsUntil: null, ...more }
}

export function session(call, phase, more = {}) {
  const now = Date.now()
  const over = phase === 'ended'
  return {
    call,
    callType: 'inbound',
    phase,
    caller: '+44 7700 •••• 14',
    callerName: 'Hannah Brook',
    place: 'Leeds, United Kingdom',
    called: '020 7946 0100',
    group: 'Orders',
    began: now - minutes(3.4),
    ended: over ? now - 12000 : null,
    outcome: over ? 'normal_end' : null,
    hungUpBy: over ? 'customer' : null,
    held: false,
    muted: false,
    recording: true,
    recordingPaused: false,
    transfer: null,
    guest: false,
    consult: null,
    consultOutcome: null,
    service: null,
    deviceFailed: null,
    remark: '',
    disposition: '',
    ...more,
  }
}

function older() {
  const now = Date.now()
  return [
    session('e1', 'ended', { callerName: null, caller: '+44 7700 •••• 08', began: now - minutes(31), ended: now - minutes(27), remark: 'Wants the invoice again.' }),
    session('e4', 'ended', { callType: 'outbound', callerName: null, place: null, caller: '+44 7700 •••• 55', outcome: 'empty_number', hungUpBy: 'switch', recording: false, began: now - minutes(40), ended: now - minutes(39.9) }),
    session('e2', 'ended', { outcome: 'agent_transfer', hungUpBy: 'agent', callerName: 'Elena Rossi', caller: '+39 06 •••• 61', place: 'Rome, Italy', began: now - minutes(64), ended: now - minutes(56) }),
    session('e3', 'ended', { callerName: '王女士', caller: '+86 138 •••• 27', place: '上海', began: now - minutes(83), ended: now - minutes(81), group: 'Returns and refunds' }),
  ]
}

function queues(...waiting) {
  const now = Date.now()
  const one = (group, name, count, ago) => ({ group, name, waiting: count, oldest: count ? now - ago : null })
  return [one(1, 'Orders', waiting[0] || 0, 72000), one(2, 'Returns and refunds', waiting[1] || 0, 18000), one(3, 'Technical help', 0, 0)]
}

export function offer(more = {}) {
  const now = Date.now()
  return {
    offer: 'o1',
    call: 'c1',
    caller: '+44 7700 •••• 14',
    callerName: 'Hannah Brook',
    place: 'Leeds, United Kingdom',
    called: '020 7946 0100',
    group: 'Orders',
    callType: 'inbound',
    waitingSince: now - 42000,
    ringsSince: now - 5000,
    ringsUntil: now + 15000,
    automatic: false,
    ...more,
  }
}

const targets = {
  groups: [
    { id: 4, name: 'Deutschsprachige Kundenbetreuung', idle: 0, staffed: true },
    { id: 1, name: 'Orders', idle: 0, staffed: true },
    { id: 2, name: 'Returns and refunds', idle: 1, staffed: true },
    { id: 3, name: 'Technical help', idle: 2, staffed: true },
    { id: 5, name: '中文客服', idle: 0, staffed: false },
  ],
  agents: [
    ['Amara Okafor', '2022', [2], 'inLine'],
    ['Jonas Weber', '2035', [3, 4], 'onBreak'],
    ['Li Wei', '2041', [2, 3], 'available'],
    ['Noah Fischer', '2030', [1], 'afterCallWork'],
    ['Priya Natarajan-Whitworth', '2052', [5], 'offline'],
    ['Sofia Marques', '2017', [3], 'available'],
    ['Tom Brandt', '2008', [1, 4], 'busy'],
  ].map(([name, number, groups, state]) => ({ id: Number(number), name, number, email: `${name.toLowerCase().replace(/ /g, '.')}@northlight.example`, groups, state, mobile: state === 'offline' })),
}

function customer(call, name) {
  if (name === 'newcaller') return { call, withheld: false, name: null, remark: '', past: [] }
  const past = [
    [1, 'normal_end', 'Asked for the invoice of order 48 1950 again.'],
    [9, 'abandoned_queue', ''],
    [26, 'agent_transfer', 'Heat pump makes a noise; to Technical help.'],
  ].map(([days, status, remark], at) => ({
    id: `p${at}`, call: `p${at}`, time: Date.now() - days * 86_400_000, callType: 'inbound', caller: '+44 7700 •••• 14', contact: '020 7946 0100', status,
    hungUpBy: 'customer', group: 'Orders', agent: 'Mei Lin', duration: 187_000, wait: 9000, ring: 4000, hold: 0, mos: 4.2, remark, disposition: '', flows: [], recording: null,
  }))
  return { call, withheld: false, name: 'Hannah Brook', remark: 'Prefers to be called back after four. Runs the shop in Kirkgate.', past }
}

const quality = { type: 'quality', call: 'c1', mos: 4.31, loss: 0.2, jitter: 6, roundTrip: 41 }

const outbound = (phase, more = {}) => session('c1', phase, { callType: 'outbound', callerName: null, place: null, caller: '+44 7700 •••• 62', ...more })

const service = { flow: 'Satisfaction survey', step: 'Order number', keys: '5482', results: [{ name: 'Rating', value: '5' }], running: true }

const consulting = (consult, more = {}) => {
  const reached = { whom: 'Li Wei', reached: 'up', side: 'third', customerLeft: false, ...consult }
  return () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { remark: 'Order 48 2207, leaves Saturday.', consult: reached, ...more }), ...older()], queues: queues(3, 1), then: [quality] })
}

const internal = (phase, more = {}) => session('c1', phase, { callType: 'internal', callerName: 'Li Wei', caller: '2041', called: '2014', place: null, recording: false, ...more })

const talking = () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking'), ...older()], queues: queues(3, 1), then: [quality] })

/** Snapshot parts by scene. `then` are messages that follow. */
const scenes = {
  offline: () => ({ agent: agent('offline', { since: Date.now() - 11000 }), peer: 'none' }),
  fresh: () => ({ agent: agent('offline', { since: Date.now() - 11000 }), peer: 'none', sessions: [], queues: [] }),
  available: () => ({ agent: agent('available') }),
  busy: () => ({ agent: agent('busy', { reason: 'missed_calls' }) }),
  onBreak: () => ({ agent: agent('onBreak', { reason: 'Lunch' }) }),
  resting: () => ({ agent: agent('available', { reason: 'device_failed', restsUntil: Date.now() + 9000 }) }),
  ringing: () => ({ agent: agent('inLine', { since: Date.now() - 5000 }), offer: offer(), queues: queues(2, 1) }),
  phone: () => ({ agent: agent('available', { device: 'phone' }), peer: 'none' }),
  ringingphone: () => ({ agent: agent('inLine', { device: 'phone', since: Date.now() - 5000 }), offer: offer(), queues: queues(2, 1), peer: 'none' }),
  phonecall: () => ({ agent: agent('inLine', { device: 'phone' }), sessions: [session('c1', 'talking'), ...older()], queues: queues(3, 1), peer: 'none', then: [quality] }),
  mobile: () => ({ agent: agent('available', { device: 'mobile', mobileAnswering: true }), peer: 'none' }),
  ringingmobile: () => ({ agent: agent('inLine', { device: 'mobile', mobileAnswering: true, since: Date.now() - 5000 }), offer: offer(), queues: queues(2, 1), peer: 'none' }),
  automatic: () => ({ agent: agent('inLine', { since: Date.now() - 1000 }), offer: offer({ automatic: true, callerName: null, place: null, ringsUntil: Date.now() + 2000, ringsSince: Date.now() }), queues: queues(2, 1) }),
  connecting: () => ({ agent: agent('inLine'), sessions: [session('c1', 'connecting', { began: Date.now() }), ...older()], queues: queues(3, 1) }),
  incall: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { remark: 'Order 48 2207, leaves Saturday. Ask warehouse for same-day courier.' }), ...older()], queues: queues(3, 1), then: [quality] }),
  transferasked: talking,
  transferrefused: talking,
  transferempty: talking,
  transfermany: talking,
  consultfails: talking,
  consultasked: consulting({ whom: 'Deutschsprachige Kundenbetreuung', reached: 'asked' }),
  consultringing: consulting({ reached: 'ringing' }),
  consultthird: consulting({}),
  consultcustomer: consulting({ side: 'customer' }),
  consultall: consulting({ side: 'all' }, { muted: true }),
  consultnumber: consulting({ whom: '+442079460177' }, { callerName: null, place: null }),
  consultleft: consulting({ customerLeft: true }, { recording: false }),
  service: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { service }), ...older()], queues: queues(3, 1), then: [quality] }),
  disposed: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { disposition: 'Complaint' }), ...older()], queues: queues(3, 1), then: [quality] }),
  blockrefused: talking,
  served: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { service: { ...service, running: false } }), ...older()], queues: queues(3, 1), then: [quality] }),
  guest: consulting({ whom: 'Priya Natarajan-Whitworth' }, { guest: true }),
  guestleft: consulting({ whom: 'Tom Brandt', customerLeft: true }, { guest: true, recording: false }),
  ringinginternal: () => ({ agent: agent('inLine', { since: Date.now() - 5000 }), offer: offer({ callType: 'internal', callerName: 'Li Wei', caller: '2041', called: '2014', place: null, waitingSince: Date.now() - 5000 }), queues: queues(2, 1) }),
  callinginternal: () => ({ agent: agent('inLine', { since: Date.now() - 4000 }), sessions: [internal('ringing', { began: Date.now() - 4000 }), ...older()], queues: queues(3, 1) }),
  internal: () => ({ agent: agent('inLine'), sessions: [internal('talking'), ...older()], queues: queues(3, 1), then: [quality] }),
  internalfails: () => ({ agent: agent('available'), sessions: [internal('ended', { outcome: 'missed', hungUpBy: 'switch', transfer: 'agentNotFree' }), ...older()] }),
  dialling: () => ({ agent: agent('inLine', { since: Date.now() - 4000 }), sessions: [outbound('dialling', { began: Date.now() - 4000, recording: false }), ...older()], queues: queues(3, 1) }),
  ringingout: () => ({ agent: agent('inLine', { since: Date.now() - 9000 }), sessions: [outbound('ringing', { began: Date.now() - 9000, recording: false }), ...older()], queues: queues(3, 1) }),
  callingout: () => ({ agent: agent('inLine'), sessions: [outbound('talking'), ...older()], queues: queues(3, 1), then: [quality] }),
  callfails: () => ({
    agent: agent('available'),
    sessions: [outbound('ringing', { began: Date.now() - 31000 }), ...older()],
    then: [{ type: 'session', ...outbound('ended', { began: Date.now() - 31000, ended: Date.now(), outcome: 'power_off', hungUpBy: 'switch', recording: false }) }],
  }),
  noneended: () => ({ agent: agent('available'), sessions: [] }),
  dialrefused: () => ({ agent: agent('available') }),
  acwout: () => ({
    agent: agent('afterCallWork', { since: Date.now() - 12000, wrapUpEnds: Date.now() + 24500, wrapUpTotal: 36000 }),
    sessions: [outbound('ended'), ...older()],
  }),
  thenbusy: () => ({ agent: agent('inLine', { then: 'busy' }), sessions: [session('c1', 'talking', { callerName: null, place: null }), ...older()], queues: queues(3, 1), then: [{ ...quality, mos: 3.2 }] }),
  crm: talking,
  newcaller: () => ({ ...talking(), sessions: [session('c1', 'talking', { callerName: null, place: null }), ...older()] }),
  onhold: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { held: true }), ...older()], queues: queues(3, 1), then: [quality] }),
  muted: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { muted: true }), ...older()], queues: queues(3, 1), then: [quality] }),
  departing: () => ({ ...talking(), agent: agent('inLine', { departing: 'logOut' }) }),
  forcedoffline: () => ({ ...talking(), agent: agent('inLine', { departing: 'forcedOffline' }) }),
  lostaudio: () => ({ agent: agent('inLine'), sessions: [session('c1', 'reconnecting'), ...older()], queues: queues(3, 1), peer: 'lost' }),
  acw: () => ({
    agent: agent('afterCallWork', { since: Date.now() - 12000, wrapUpEnds: Date.now() + 24500, wrapUpTotal: 36000 }),
    sessions: [session('c-01JD8QX4K1', 'ended', { remark: 'Order 48 2207, leaves Saturday. Courier collects today before 16:00.' }), ...older()],
    queues: queues(3, 1),
  }),
  acwopen: () => ({ agent: agent('afterCallWork', { since: Date.now() - 48000, then: 'onBreak' }), sessions: [session('c9', 'ended'), ...older()], queues: queues(3, 1) }),
  elsewhere: () => ({ agent: agent('available'), audioOwner: false }),
  takenover: () => ({ agent: agent('available'), then: [{ type: 'takenOver' }] }),
  refused: () => ({ agent: agent('offline', { since: Date.now() - 11000 }), peer: 'none' }),
  reconnecting: () => ({ agent: agent('inLine'), sessions: [session('c1', 'talking', { remark: 'Order 48 2207, leaves Saturday.' }), ...older()], queues: queues(3, 1), hangup: 600 }),
}

const away = new Set()

/** Plays a scene on one socket, and does what is asked so far as that is easy. */
export function scene(name, socket, host) {
  if (away.has(name)) return socket.terminate()
  const make = scenes[name] || scenes.available
  const { then = [], hangup, ...parts } = make()
  const snapshot = {
    now: Date.now(),
    me: { ...me, avatar: name === 'portrait' ? portrait : null, role: roleOf(name) },
    queues: queues(),
    offer: null,
    sessions: older(),
    audioOwner: true,
    peer: 'up',
    settings: {
      breakReasons: ['Lunch', 'Meeting', 'Training'],
      dispositions: ['Order placed', 'Question answered', 'Complaint', 'Wrong number'],
      callerIds: ['+442079460100', '+442079460144'],
      demo: true,
      crmUrl: name === 'crm' ? `http://${host.replace('127.0.0.1', 'localhost')}/crm?from={caller}&group={group}&agent={agent}` : null,
    },
    ...parts,
  }
  let seq = 0
  const tell = message => socket.readyState === 1 && socket.send(JSON.stringify({ seq: seq++, tell: message }))
  tell({ type: 'snapshot', ...snapshot })
  then.forEach(tell)
  if (hangup) {
    setTimeout(() => {
      away.add(name)
      socket.terminate()
      setTimeout(() => away.delete(name), 30000)
    }, hangup)
  }
  socket.on('message', data => {
    const { id, ask } = JSON.parse(String(data))
    if (ask.type === 'ping') return setTimeout(() => tell({ type: 'done', id }), 28)
    if (name === 'refused') return tell({ type: 'refused', id, code: 'no_path', message: 'The switch has no room for another audio path.' })
    if (name === 'dialrefused' && ask.type === 'dial') return tell({ type: 'refused', id, code: 'number_character', message: '' })
    if (name === 'blockrefused' && ask.type === 'block') return tell({ type: 'refused', id, code: 'not_kept', message: '' })
    if (ask.type === 'openEcho') tell({ type: 'echo', sdp: 'a=candidate:1 1 udp 1 198.51.100.7 8443 typ host' })
    if (ask.type === 'customer') tell({ type: 'customer', ...customer(ask.call, name) })
    if (ask.type === 'saveCustomer') tell({ type: 'customer', ...customer(ask.call, name), name: ask.name || null, remark: ask.remark })
    if (ask.type === 'targets') tell({ type: 'targets', ...(name === 'transferempty' ? { groups: [], agents: [] } : targets), search: ask.search, more: name === 'transfermany' ? 9903 : 0 })
    tell({ type: 'done', id })
    const live = snapshot.sessions.find(s => s.phase !== 'ended')
    const change = part => live && (Object.assign(live, part), tell({ type: 'session', ...live }))
    const changed = (state, more = {}) => agent(state, { device: snapshot.agent.device, since: Date.now(), ...more })
    switch (ask.type) {
      case 'setState':
        return tell({ type: 'agent', ...changed(ask.state, { reason: ask.breakReason }) })
      case 'hold':
      case 'resume':
        return change({ held: ask.type === 'hold' })
      case 'mute':
      case 'unmute':
        return change({ muted: ask.type === 'mute' })
      case 'remark':
        return
      case 'answer':
        tell({ type: 'offer', offer: null })
        snapshot.sessions.unshift(session('c1', 'talking', { began: Date.now() }))
        return tell({ type: 'session', ...snapshot.sessions[0] })
      case 'callColleague':
        snapshot.sessions.unshift(internal('ringing', { began: Date.now() }))
        tell({ type: 'session', ...snapshot.sessions[0] })
        return tell({ type: 'agent', ...changed('inLine') })
      case 'dial':
      case 'callBack':
        snapshot.sessions.unshift(outbound('dialling', { call: 'c2', began: Date.now() }))
        tell({ type: 'session', ...snapshot.sessions[0] })
        return tell({ type: 'agent', ...changed('inLine') })
      case 'transfer':
        change({ transfer: 'asked' })
        if (name === 'transferasked') return
        if (name === 'transferrefused') return change({ transfer: ask.to.type === 'group' ? 'noAgentOnline' : 'agentNotFree' })
        change({ phase: 'ended', ended: Date.now(), outcome: 'agent_transfer', hungUpBy: 'agent' })
        return tell({ type: 'agent', ...changed('afterCallWork', { wrapUpEnds: Date.now() + 30000, wrapUpTotal: 30000 }) })
      case 'consult': {
        const whom = ask.with.type === 'number' ? ask.with.to : (ask.with.type === 'group' ? targets.groups : targets.agents).find(({ id }) => id === ask.with.id).name
        change({ transfer: null, consult: { whom, reached: 'ringing', side: 'third', customerLeft: false } })
        if (name !== 'consultfails') return setTimeout(() => live.consult && change({ consult: { ...live.consult, reached: 'up' } }), 2000)
        return change({ consult: null, ...(ask.with.type === 'number' ? { transfer: 'numberFailed', consultOutcome: 'in_call' } : { transfer: 'agentNotFree' }) })
      }
      case 'startFlow':
        return change({ service: { ...service, step: 'How satisfied?', keys: '', results: [] } })
      case 'endFlow':
        return change({ service: { ...live.service, running: false } })
      case 'swap':
        return change({ consult: { ...live.consult, side: live.consult.side === 'third' ? 'customer' : 'third' } })
      case 'conference':
        return change({ consult: { ...live.consult, side: 'all' } })
      case 'endConsult':
        return change({ consult: null })
      case 'completeConsult':
        change({ consult: null, phase: 'ended', ended: Date.now(), outcome: 'agent_transfer', hungUpBy: 'agent' })
        return tell({ type: 'agent', ...changed('afterCallWork', { wrapUpEnds: Date.now() + 30000, wrapUpTotal: 30000 }) })
      case 'hangUp':
        if (live && live.consult && !live.guest && !live.consult.customerLeft) return change({ consult: null })
        change({ phase: 'ended', ended: Date.now(), outcome: 'normal_end', hungUpBy: 'agent' })
        return tell({ type: 'agent', ...changed('afterCallWork', { wrapUpEnds: Date.now() + 30000, wrapUpTotal: 30000 }) })
      case 'endWrapUp':
        return tell({ type: 'agent', ...changed('available') })
      case 'continueWrapUp':
        return tell({ type: 'agent', ...changed('afterCallWork') })
      case 'completeService':
        return tell({ type: 'sessionsGone', calls: [ask.call] })
    }
  })
}
