import { useLayoutEffect } from 'preact/hooks'
import { useStation } from './context'

const ASK_EVERY = 2000

/** While the field is shown, which takes the focus, the targets are as they are now (D4, E3). */
export function useTargets(field: { current: HTMLInputElement | null }) {
  const station = useStation()
  useLayoutEffect(() => {
    const ask = () => void station.ask({ type: 'targets' })
    ask()
    const timer = setInterval(ask, ASK_EVERY)
    if (field.current) field.current.focus()
    return () => clearInterval(timer)
  }, [station])
}
