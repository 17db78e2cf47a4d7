import type { Waveform } from '../generated/wire'

const BAR = 2
const STEP = 4

/** The loudest of each bar's slices: as many bars as fit. */
export function columns(slices: number[], count: number): number[] {
  const result: number[] = []
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * slices.length) / count)
    const to = Math.max(from + 1, Math.floor(((i + 1) * slices.length) / count))
    result.push(slices.slice(from, to).reduce((loudest, slice) => Math.max(loudest, slice), 0))
  }
  return result
}

/** Draws the customer above the line and the agent below it; what was played is strong, the rest is pale. `at` is 0 to 1. */
export function drawWaveform(canvas: HTMLCanvasElement, wave: Waveform | null, at: number) {
  const scale = window.devicePixelRatio || 1
  const width = canvas.clientWidth
  const height = canvas.clientHeight
  const pen = canvas.getContext('2d')
  if (!pen || width === 0) return
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
  }
  pen.setTransform(scale, 0, 0, scale, 0, 0)
  pen.clearRect(0, 0, width, height)
  const style = getComputedStyle(canvas)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const middle = height / 2
  const count = Math.max(1, Math.floor(width / STEP))
  const head = at * width
  const side = (slices: number[], up: boolean, ink: string) => {
    pen.fillStyle = ink
    columns(slices, count).forEach((loudness, index) => {
      const x = index * STEP
      const tall = Math.max(1.5, Math.min(1, loudness) * (middle - 4))
      pen.globalAlpha = x <= head && at > 0 ? 1 : 0.42
      pen.fillRect(x, up ? middle - 1 - tall : middle + 1, BAR, tall)
    })
    pen.globalAlpha = 1
  }
  side(wave ? wave.customer : [], true, colour('--line-state'))
  side(wave ? wave.agent : [], false, colour('--accent'))
  pen.fillStyle = colour('--text')
  pen.fillRect(Math.min(width - 1.5, head), 0, 1.5, height)
}
