import { useEffect, useLayoutEffect } from 'preact/hooks'
import { useStation } from './context'

const ASK_EVERY = 2000
/** In characters: the switch takes no longer one. */
export const LONGEST_SEARCH = 100

/** While the field is shown, which takes the focus, the targets that the search means are as they are now (D4, E3). */
export function useTargets(field: { current: HTMLInputElement | null }, search: string) {
  const station = useStation()
  useLayoutEffect(() => {
    if (field.current) field.current.focus()
  }, [station])
  useEffect(() => {
    const ask = () => void station.ask({ type: 'targets', search })
    ask()
    const timer = setInterval(ask, ASK_EVERY)
    return () => clearInterval(timer)
  }, [station, search])
}
