// Every page and state, and the way to it against the mock.
async function sendCode(page, number = '+44 7700 900162') {
  await page.fill('[data-test=mobile]', number)
  await page.click('[data-test=send-code]')
}

/** A voice path to nowhere, whose packets come back all the same. */
function fakePath() {
  const began = performance.now()
  window.RTCPeerConnection = class {
    iceGatheringState = 'complete'
    iceConnectionState = 'connected'
    localDescription = { sdp: '' }
    addTrack(track) {
      this.track = track
    }
    close() {}
    createOffer() {}
    setLocalDescription() {}
    setRemoteDescription() {
      this.ontrack({ streams: [new MediaStream([this.track])], track: this.track })
    }
    getStats() {
      const received = Math.round((performance.now() - began) / 20)
      return new Map([
        [1, { type: 'inbound-rtp', packetsReceived: received, packetsLost: Math.floor(received / 300), jitter: 0.004 }],
        [2, { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.031 }],
      ])
    }
  }
}

/** The ways by name; each takes a fresh page. */
export function shotsOf(base) {
  const at = name => page => page.goto(`${base}/scene/${name}`)
  const picking = (name, then) => async page => {
    await at(name)(page)
    await page.click('[data-test=transfer]')
    await page.waitForSelector(name === 'transferempty' ? '[data-test=no-targets]' : '[data-test=target-group]')
    if (then) await then(page)
  }
  const consulting = (name, list, then) => async page => {
    await at(name)(page)
    await page.click('[data-test=consult]')
    await page.click(`[data-test=list-${list}]`)
    if (then) await then(page)
  }
  const startAt = group => async page => {
    await page.click(`[data-test=target-group][data-name="${group}"]`)
    await page.click('[data-test=transfer-start]')
  }
  const hash = (name, to) => page => page.goto(`${base}/scene/${name}?to=/%23/${to}`)
  return {
    login: at('login'),
    'login-wrong': async page => {
      await at('login')(page)
      await page.fill('[data-test=email]', 'mei.lin@northlight.example')
      await page.fill('[data-test=password]', 'wrong')
      await page.click('[data-test=submit]')
      await page.waitForSelector('.err')
    },
    'login-sms': async page => {
      await at('login')(page)
      await page.click('[data-test=by-sms]')
    },
    'login-sms-down': async page => {
      await at('login')(page)
      await page.click('[data-test=by-sms]')
      await sendCode(page, '+447700900100')
      await page.waitForSelector('.err')
    },
    'login-code': async page => {
      await at('login')(page)
      await page.click('[data-test=by-sms]')
      await sendCode(page)
      await page.fill('[data-test=code]', '409')
    },
    'login-code-wrong': async page => {
      await at('login')(page)
      await page.click('[data-test=by-sms]')
      await sendCode(page)
      await page.fill('[data-test=code]', '000000')
      await page.click('[data-test=submit]')
      await page.waitForSelector('.err')
    },
    'login-choose': async page => {
      await at('login')(page)
      await page.click('[data-test=by-sms]')
      await sendCode(page)
      await page.fill('[data-test=code]', '409127')
      await page.click('[data-test=submit]')
      await page.waitForSelector('[data-test=account]')
    },
    complete: at('complete'),
    'complete-code': async page => {
      await at('complete')(page)
      await sendCode(page)
      await page.fill('[data-test=code]', '000000')
      await page.fill('[data-test=nickname]', 'Mei')
      await page.fill('[data-test=new-password]', 'northlight')
    },
    'complete-wrong': async page => {
      await at('complete')(page)
      await sendCode(page)
      await page.fill('[data-test=code]', '000000')
      await page.fill('[data-test=new-password]', 'northlight-1')
      await page.click('[data-test=save-account]')
      await page.waitForSelector('.err')
    },
    completed: at('completed'),
    recovery: async page => {
      await at('login')(page)
      await page.click('[data-test=forgot]')
    },
    'recovery-new': async page => {
      await at('login')(page)
      await page.click('[data-test=forgot]')
      await sendCode(page)
      await page.fill('[data-test=code]', '409127')
      await page.click('[data-test=check-code]')
      await page.fill('[data-test=new-password]', 'northlight')
    },
    profile: hash('available', 'profile'),
    'profile-portrait': hash('portrait', 'profile'),
    'profile-nickname': async page => {
      await hash('available', 'profile')(page)
      await page.click('[data-test=change-nickname]')
    },
    'menu-portrait': async page => {
      await at('portrait')(page)
      await page.click('[data-test=state-menu]')
    },
    'profile-unbound': hash('unbound', 'profile'),
    mobile: hash('available', 'mobile'),
    'mobile-wrong': async page => {
      await hash('available', 'mobile')(page)
      await page.fill('[data-test=old-mobile]', '07700 900162')
      await page.click('[data-test=send-code]')
      await page.waitForSelector('.err')
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
    phone: at('phone'),
    ringingphone: at('ringingphone'),
    phonecall: at('phonecall'),
    onmobile: at('mobile'),
    ringingmobile: at('ringingmobile'),
    'menu-mobile': async page => {
      await at('mobile')(page)
      await page.click('[data-test=state-menu]')
    },
    automatic: at('automatic'),
    connecting: at('connecting'),
    incall: at('incall'),
    transfer: picking('incall'),
    'transfer-agents': picking('incall', async page => {
      await page.click('[data-test=list-agents]')
      await page.focus('[data-test=target-search]')
      await page.keyboard.press('ArrowDown')
    }),
    'transfer-nothing': picking('incall', page => page.fill('[data-test=target-search]', 'billing')),
    'transfer-many': picking('transfermany', page => page.click('[data-test=list-agents]')),
    'transfer-empty': picking('transferempty', page => page.waitForTimeout(200)),
    'transfer-asked': picking('transferasked', startAt('Technical help')),
    'transfer-refused': picking('transferrefused', startAt('中文客服')),
    'transfer-done': picking('incall', startAt('Technical help')),
    'ended-transfer': async page => {
      await at('available')(page)
      await page.click('[data-test=ended-session] >> nth=1')
    },
    'consult-groups': consulting('incall', 'groups', page => page.click('[data-test=target-group] >> nth=3')),
    'consult-number': consulting('incall', 'number', page => page.fill('[data-test=consult-number]', '+44 20 7946 0177')),
    'consult-number-failed': consulting('consultfails', 'number', async page => {
      await page.fill('[data-test=consult-number]', '+44 20 7946 0177')
      await page.click('[data-test=consult-start]')
      await page.waitForSelector('[data-refused]')
    }),
    'consult-asked': at('consultasked'),
    'consult-ringing': at('consultringing'),
    'consult-third': at('consultthird'),
    'consult-customer': at('consultcustomer'),
    'consult-all': at('consultall'),
    'consult-with-number': at('consultnumber'),
    'consult-left': at('consultleft'),
    'service-flows': async page => {
      await at('incall')(page)
      await page.click('[data-test=self-service]')
      await page.waitForSelector('[data-test=start-flow]')
    },
    'service-running': at('service'),
    'service-over': at('served'),
    guest: at('guest'),
    'guest-left': at('guestleft'),
    dialpad: async page => {
      await at('available')(page)
      await page.click('[data-test=outbound-call]')
      await page.fill('[data-test=dial-number]', '+44 7700 900 162')
    },
    'dialpad-refused': async page => {
      await at('dialrefused')(page)
      await page.click('[data-test=outbound-call]')
      await page.fill('[data-test=dial-number]', '1800-FLOWERS')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-test=dial-refused]')
    },
    'dialpad-fresh': async page => {
      await at('noneended')(page)
      await page.click('[data-test=outbound-call]')
    },
    'dialpad-colleague': async page => {
      await at('available')(page)
      await page.click('[data-test=outbound-call]')
      await page.click('[data-test=dial-colleague-side]')
      await page.click('[data-test=colleague][data-name="2041"]')
    },
    'dialpad-colleague-away': async page => {
      await at('available')(page)
      await page.click('[data-test=outbound-call]')
      await page.click('[data-test=dial-colleague-side]')
      await page.click('[data-test=colleague][data-name="2052"]')
    },
    'internal-ringing': at('ringinginternal'),
    'internal-calling': at('callinginternal'),
    internal: at('internal'),
    'internal-failed': async page => {
      await at('internalfails')(page)
      await page.click('[data-test=left-internal]')
      await page.click('[data-test=ended-session]')
    },
    dialling: at('dialling'),
    'ringing-out': at('ringingout'),
    'call-failed': at('callfails'),
    'wrap-up-out': at('acwout'),
    keypad: async page => {
      await at('callingout')(page)
      await page.click('[data-test=open-keypad]')
      await page.click('[data-test="key-1"]')
      await page.click('[data-test="key-#"]')
      await page.fill('[data-test=keypad-text]', ',,204')
    },
    thenbusy: at('thenbusy'),
    onhold: at('onhold'),
    muted: at('muted'),
    departing: at('departing'),
    'forced-offline': at('forcedoffline'),
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
    crm: async page => {
      await at('crm')(page)
      await page.frameLocator('[data-test=crm]').locator('h3').waitFor()
    },
    'crm-card': async page => {
      await at('crm')(page)
      await page.click('[data-test=show-card]')
    },
    'customer-new': at('newcaller'),
    'customer-edit': async page => {
      await at('incall')(page)
      await page.click('[data-test=edit-customer]')
    },
    'shortcuts-taken': async page => {
      await at('available')(page)
      await page.waitForSelector('.statebtn')
      await page.keyboard.press('?')
      await page.click('[data-test=key-hold]')
      await page.keyboard.press('Alt+m')
      await page.waitForSelector('[data-test=take-key]')
    },
    'device-check': async page => {
      await page.addInitScript(fakePath)
      await hash('available', 'device-check')(page)
      await page.waitForSelector('[data-test=check-network]:not([data-grade=busy])')
    },
    'device-check-blocked': async page => {
      await page.addInitScript(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))
        delete window.RTCPeerConnection
      })
      await hash('available', 'device-check')(page)
      await page.waitForSelector('[data-test=check-network]:not([data-grade=busy])')
    },
    'device-check-incall': async page => {
      await at('incall')(page)
      await page.click('[data-test=state-menu]')
      await page.click('[data-test=device-check-link]')
    },
    block: async page => {
      await at('disposed')(page)
      await page.click('[data-test=block]')
    },
    'block-refused': async page => {
      await at('blockrefused')(page)
      await page.click('[data-test=block]')
      await page.click('[data-test=block-confirm]')
      await page.waitForSelector('[data-test=refused]')
    },
    'block-done': async page => {
      await at('disposed')(page)
      await page.click('[data-test=block]')
      await page.click('[data-test=block-week]')
      await page.click('[data-test=block-confirm]')
      await page.waitForSelector('[data-test=blocked]')
    },
    'block-acw': async page => {
      await at('acw')(page)
      await page.click('[data-test=block]')
    },
    management: hash('management', 'management'),
    'management-remove': async page => {
      await hash('management', 'management')(page)
      await page.click('[data-test=blocklist-remove] >> nth=1')
    },
    'management-refused': async page => {
      await hash('management', 'management')(page)
      await page.fill('[data-test=blocklist-number]', '+44 7700 900 118')
      await page.click('[data-test=blocklist-add]')
      await page.waitForSelector('[data-test=blocklist-wrong]')
    },
    'management-empty': hash('management-empty', 'management'),
    'management-failed': hash('management-failed', 'management'),
    'management-outbox': async page => {
      await hash('management', 'management')(page)
      await page.click('[data-test=management-outbox]')
      await page.waitForSelector('[data-test=outbox-row]')
    },
    'management-outbox-empty': async page => {
      await hash('management-empty', 'management')(page)
      await page.click('[data-test=management-outbox]')
      await page.waitForSelector('[data-test=list-empty]')
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
      await page.waitForSelector('.page__body > .empty')
    },
    'records-failed': hash('records-failed', 'records'),
    'records-ringing': hash('ringing', 'records'),
    'records-incall': async page => {
      await at('incall')(page)
      await page.click('[data-test=records-link]')
    },
  }
}
