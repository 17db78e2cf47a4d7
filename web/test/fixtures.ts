import type { OfferView, SessionView, Snapshot, ToWorkstation } from '../src/generated/wire'

export function session(call: string, more: Partial<SessionView> = {}): SessionView {
  return {
    call, callType: 'inbound', phase: 'talking', caller: '+44 7700 •••• 14', callerName: null, place: null, called: '020 7946 0100', group: 'Orders',
    began: 1000, ended: null, outcome: null, hungUpBy: null, held: false, muted: false, recording: true, recordingPaused: false, transfer: null, consult: null, consultOutcome: null, service: null, deviceFailed: null, guest: false, remark: '', disposition: '', ...more,
  }
}

export const offer: OfferView = {
  offer: 'o1', call: 'c1', caller: '+44 7700 •••• 14', callerName: null, place: null, called: '020 7946 0100', group: 'Orders',
  callType: 'inbound', waitingSince: 1000, ringsSince: 5000, ringsUntil: 25000, automatic: false,
}

export function snapshot(more: Partial<Snapshot> = {}): ToWorkstation {
  return {
    type: 'snapshot',
    now: 1_000_500,
    me: { name: 'Mei Lin', nickname: 'Mei', number: '2014', email: 'mei@example', role: 'agent', mobile: '+44 7700 •••• 62', avatar: null, mustChangePassword: false },
    agent: { state: 'available', device: 'browser', mobileAnswering: false, mobileOutbound: false, reason: null, since: 900_000, then: null, departing: null, wrapUpEnds: null, wrapUpTotal: null, restsUntil: null },
    queues: [{ group: 1, name: 'Orders', waiting: 0, oldest: null }],
    offer: null,
    sessions: [],
    audioOwner: true,
    peer: 'up',
    settings: { breakReasons: ['Lunch'], dispositions: ['Order placed', 'Complaint'], callerIds: ['+442079460100'], demo: false, crmUrl: null },
    ...more,
  }
}
