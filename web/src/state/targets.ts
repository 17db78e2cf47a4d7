import type { TargetAgent, TargetGroup, TargetsView, TransferTarget } from '../generated/wire'
import type { Picker } from './state'

export function newPicker(call: string, purpose: Picker['purpose']): Picker {
  return { call, purpose, list: 'groups', search: '', chosen: null }
}

export function groupsFound(targets: TargetsView, search: string): TargetGroup[] {
  return targets.groups.filter(group => holds(search, [group.name]))
}

/** Whether the list is what the switch has found by this search, and not by the one before it. */
export function isAnswer(targets: TargetsView | null, search: string): boolean {
  return targets !== null && targets.search === search
}

/** The colleagues that the search means, by name, agent id, e-mail or group (D4), of those that the switch has found. */
export function agentsFound(targets: TargetsView, search: string): { agent: TargetAgent; groups: string[] }[] {
  return targets.agents
    .map(agent => ({ agent, groups: targets.groups.filter(group => agent.groups.indexOf(group.id) >= 0).map(group => group.name) }))
    .filter(({ agent, groups }) => holds(search, [agent.name, agent.number, agent.email].concat(groups)))
}

/** Direct transfers and consultations go to available and busy agents (C4). */
export function reachable(agent: TargetAgent): boolean {
  return agent.state === 'available' || agent.state === 'busy'
}

/** An internal call reaches those, and the mobile of who is not online (E3). */
export function callable(agent: TargetAgent): boolean {
  return agent.mobile || reachable(agent)
}

/** What of the list can be chosen now, in its order. */
export function choices(picker: Picker, targets: TargetsView): TransferTarget[] {
  switch (picker.list) {
    case 'groups':
      return groupsFound(targets, picker.search).map(({ id }) => ({ type: 'group', id }))
    case 'agents':
      return agentsFound(targets, picker.search)
        .filter(({ agent }) => reachable(agent))
        .map(({ agent }) => ({ type: 'agent', id: agent.id }))
    case 'number':
      return []
  }
}

export function sameTarget(a: TransferTarget | null, b: TransferTarget | null): boolean {
  return a !== null && b !== null && a.type === b.type && a.id === b.id
}

/** The chosen target, while it is in the list and can be reached. */
export function chosenTarget(picker: Picker, targets: TargetsView): TransferTarget | null {
  return choices(picker, targets).find(target => sameTarget(target, picker.chosen)) || null
}

/** The choice above or below the present one; without one, the first or the last. */
export function nextChoice(picker: Picker, targets: TargetsView, step: 1 | -1): TransferTarget | null {
  const all = choices(picker, targets)
  const at = all.findIndex(target => sameTarget(target, picker.chosen))
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length
  return all[next] || null
}

/** Every word of the search is somewhere in these. */
function holds(search: string, fields: string[]): boolean {
  const text = fields.join('\n').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.indexOf(word) >= 0)
}
