import { canConsult, canKey, canMute, consulting, consultUp } from '../state/consult'
import { byPhone, ended, liveSession, shownSession } from '../state/select'
import { inFlow } from '../state/service'
import type { Command } from '../state/keymap'
import type { Picker, State } from '../state/state'
import { newPicker } from '../state/targets'
import type { Workstation } from './workstation'

type Station = Pick<Workstation, 'ask' | 'pick' | 'flows' | 'keypad' | 'select' | 'completeService'>

/** Does what a key asks for, where it means something now. */
export function runCommand(command: Exclude<Command, 'menu' | 'dial' | 'remark'>, state: State, station: Station) {
  const desk = state.desk
  if (!desk || state.link.is !== 'open') return
  const { offer, agent } = desk
  const live = liveSession(desk)
  const talking = live && live.phase === 'talking' ? live : null
  const wrapUp = agent.state === 'afterCallWork'
  const pick = (purpose: Picker['purpose']) => {
    if (state.picker && state.picker.purpose === purpose) station.pick(null)
    else if (talking && canConsult(talking)) station.pick(newPicker(talking.call, purpose))
  }
  switch (command) {
    case 'answer':
      if (offer && !offer.automatic && !byPhone(desk)) void station.ask({ type: 'answer', offer: offer.offer })
      return
    case 'decline':
      if (offer && !offer.automatic) void station.ask({ type: 'decline', offer: offer.offer })
      return
    case 'hold':
      if (talking && !talking.consult && !inFlow(talking)) void station.ask({ type: talking.held ? 'resume' : 'hold', call: talking.call })
      return
    case 'mute':
      if (talking && canMute(talking)) void station.ask({ type: talking.muted ? 'unmute' : 'mute', call: talking.call })
      return
    case 'transfer':
      if (talking && consultUp(talking)) void station.ask({ type: 'completeConsult', call: talking.call })
      else pick('transfer')
      return
    case 'consult':
      pick('consult')
      return
    case 'swap':
    case 'conference':
      if (talking && consultUp(talking)) void station.ask({ type: command, call: talking.call })
      return
    case 'endConsult':
      if (talking && consulting(talking)) void station.ask({ type: 'endConsult', call: talking.call })
      else if (talking && inFlow(talking)) void station.ask({ type: 'endFlow', call: talking.call })
      return
    case 'service':
      if (state.flows !== null) station.flows(false)
      else if (talking && canConsult(talking) && talking.transfer !== 'asked') station.flows(true)
      return
    case 'keypad':
      if (state.keypad && state.keypad.open) station.keypad(false)
      else if (talking && canKey(talking)) station.keypad(true)
      return
    case 'hangUp':
      if (live) void station.ask({ type: 'hangUp', call: live.call })
      return
    case 'endWrapUp':
      if (wrapUp) void station.ask({ type: 'endWrapUp' })
      return
    case 'continueWrapUp':
      if (wrapUp && agent.wrapUpEnds !== null) void station.ask({ type: 'continueWrapUp' })
      return
    case 'complete': {
      const shown = shownSession(state, desk)
      if (shown && shown.phase === 'ended') void station.completeService(shown.call)
      return
    }
    case 'previous':
    case 'next':
      station.select(neighbour(state, command === 'next' ? 1 : -1))
      return
  }
}

/** The session above or below the shown one; null is the current task, which stands above the ended ones. */
function neighbour(state: State, step: 1 | -1): string | null {
  const desk = state.desk
  if (!desk) return null
  const stops: (string | null)[] = [null]
  ended(desk).forEach(session => stops.push(session.call))
  const at = Math.max(0, stops.indexOf(state.selected))
  return stops[Math.max(0, Math.min(stops.length - 1, at + step))] || null
}
