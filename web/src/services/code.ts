import { useState } from 'preact/hooks'

/** How long a number waits for another code (A4); the switch decides. */
const BETWEEN = 60_000

/** A code on its way: to which number, and when another may be asked for. */
export interface Sent {
  to: string
  again: number
}

export interface Sending {
  /** The last code; null = none, or forgotten. */
  sent: Sent | null
  busy: boolean
  ask(mobile: string): void
  forget(): void
}

/** Sends codes to a number, one request at a time. */
export function useCode(send: (mobile: string) => Promise<void>, refused: (failure: unknown) => void): Sending {
  const [sent, setSent] = useState<Sent | null>(null)
  const [busy, setBusy] = useState(false)
  const ask = (mobile: string) => {
    if (busy) return
    setBusy(true)
    send(mobile).then(
      () => {
        setBusy(false)
        setSent({ to: mobile, again: Date.now() + BETWEEN })
      },
      (failure: unknown) => {
        setBusy(false)
        refused(failure)
      },
    )
  }
  return { sent, busy, ask, forget: () => setSent(null) }
}

/** Whether the text could be a number with its country code; the switch decides. */
export function looksLikeNumber(text: string): boolean {
  return /^(\+|00)[1-9]\d{7,14}$/.test(text.replace(/[\s.()-]/g, ''))
}
