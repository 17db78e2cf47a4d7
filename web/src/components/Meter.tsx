import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n'
import { useStation } from './context'
import { Icon } from './Icon'

const STEPS = 12

/** The microphone's level, measured here and not drawn through the state: sixty times a second is no news. */
export function MicrophoneMeter({ off }: { off: boolean }) {
  const station = useStation()
  const box = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    if (off) return
    let frame = 0
    let shown = -1
    let level = 0
    const draw = () => {
      frame = requestAnimationFrame(draw)
      // Up at once, down slowly: so the eye can follow.
      level = Math.max(station.sound.level(), level * 0.92)
      const lit = Math.round(level * STEPS)
      if (lit === shown || !box.current) return
      shown = lit
      Array.prototype.forEach.call(box.current.children, (bar: Element, index: number) => {
        bar.className = index < lit ? (index >= STEPS - 3 ? 'hot' : 'on') : ''
      })
    }
    draw()
    return () => {
      cancelAnimationFrame(frame)
      if (box.current) Array.prototype.forEach.call(box.current.children, (bar: Element) => (bar.className = ''))
    }
  }, [off, station])
  return (
    <span title={t('call.microphone')}>
      <Icon name={off ? 'micoff' : 'mic'} size="s" />
      <span class="sr">{t('call.microphone')}</span>
      <span class="mic" ref={box} data-off={off ? '' : undefined} aria-hidden="true">
        {Array.from({ length: STEPS }, (_, index) => (
          <i key={index} />
        ))}
      </span>
    </span>
  )
}
