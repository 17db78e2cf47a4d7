import type { Grade } from './network'

export type Part = 'microphone' | 'speaker' | 'camera' | 'network' | 'browser' | 'webrtc' | 'notifications'

/** How one thing is, in words, and what to do about it. */
export interface Finding {
  grade: Grade
  text: string
  help: string
}

export type Findings = { [part in Part]?: Finding | undefined }

export const parts: Part[] = ['microphone', 'speaker', 'camera', 'network', 'browser', 'webrtc', 'notifications']
/** Without these there are no calls; the others only make them worse. */
const needed: Part[] = ['microphone', 'network', 'browser', 'webrtc']

/** The verdict: null while something that calls need is not known yet and nothing has failed. */
export function worst(findings: Findings): { grade: Grade | null; text: string | null } {
  const at = (grade: Grade, among: Part[]) => among.map(part => findings[part]).find(finding => finding !== undefined && finding.grade === grade)
  const failed = at('fail', parts)
  if (failed) return { grade: 'fail', text: failed.text }
  if (needed.some(part => findings[part] === undefined)) return { grade: null, text: null }
  const warned = at('warn', needed)
  return warned ? { grade: 'warn', text: warned.text } : { grade: 'ok', text: findings.network ? findings.network.text : null }
}

/** Plain text for whoever helps the agent. */
export function reportOf(findings: Findings, name: (part: Part) => string, about: string[], numbers: string[]): string {
  const lines = parts.map(part => {
    const finding = findings[part]
    return `[${finding ? finding.grade : '…'}] ${name(part)}: ${finding ? [finding.text, finding.help].filter(text => text !== '').join(' – ') : '…'}`
  })
  return ['Cordboard', ...about, ...lines, ...numbers].join('\n')
}
