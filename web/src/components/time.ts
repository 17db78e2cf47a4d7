import { locale, t } from '../i18n'
import { clockTime } from '../services/clock'

const DAY = 86_400_000

function midnight(of: Date): number {
  return new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime()
}

/** `Today 10:41`, `Yesterday 9:05`, `17 Nov 10:41`; with the year when it is another. */
export function dayTime(at: number, now: number = Date.now()): string {
  const date = new Date(at)
  const days = Math.round((midnight(new Date(now)) - midnight(date)) / DAY)
  const time = clockTime(at)
  if (days === 0) return t('records.today', { time })
  if (days === 1) return t('records.yesterday', { time })
  const same = date.getFullYear() === new Date(now).getFullYear()
  const day = date.toLocaleDateString(locale(), same ? { day: 'numeric', month: 'short' } : { day: 'numeric', month: 'short', year: 'numeric' })
  return `${day} ${time}`
}

/** `2026-11-22` for a date field. */
export function dateField(at: number): string {
  const date = new Date(at)
  const two = (n: number) => (n < 10 ? `0${n}` : String(n))
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The first moment of that day here, or of the day after it. */
export function dayStart(field: string, plusDays = 0): number | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(field)
  if (!parts) return null
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + plusDays).getTime()
}
