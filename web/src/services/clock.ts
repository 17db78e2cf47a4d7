import { useEffect, useState } from 'preact/hooks'

const STEP = 200
const listeners = new Set<() => void>()
let timer: unknown = null

function tick() {
  listeners.forEach(listener => listener())
}

/** One timer for all clocks of the page. */
function onTick(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === null) timer = setInterval(tick, STEP)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer as number)
      timer = null
    }
  }
}

/** A value of the time, by the switch's clock; renders again only when the value changes. */
export function useTime<T extends string | number | boolean>(offset: number, value: (now: number) => T): T {
  const read = () => value(Date.now() + offset)
  const [, set] = useState(read)
  useEffect(() => onTick(() => set(read())))
  return read()
}

/** `4:05`, `1:02:09`; never negative. */
export function spell(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const minutes = Math.floor(seconds / 60)
  const rest = two(seconds % 60)
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`
}

export function two(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}

/** `10:41`, of the day that the reader is in. */
export function clockTime(at: number): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** `10:41:07`. */
export function clockSeconds(at: number): string {
  return `${clockTime(at)}:${two(new Date(at).getSeconds())}`
}
