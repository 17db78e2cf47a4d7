const COLUMNS = 10
const ROWS = 8
const jacks = Array.from({ length: COLUMNS * ROWS }, (_, index) => ({ x: 60 + (index % COLUMNS) * 69, y: 64 + Math.floor(index / COLUMNS) * 62 }))

/** From jack to jack, hanging this deep. */
const cords = [
  { from: [129, 152], to: [405, 276], deep: 420, colour: 'amber' },
  { from: [267, 90], to: [612, 214], deep: 378, colour: 'ivory' },
  { from: [474, 152], to: [681, 400], deep: 524, colour: 'coral' },
  { from: [60, 338], to: [336, 400], deep: 494, colour: 'teal' },
] as const
const lamps = [
  [198, 250],
  [543, 312],
  [405, 436],
] as const

/** A cord board with four calls through and three lamps lit. */
export function Board() {
  return (
    <svg class="board" viewBox="0 0 740 704" preserveAspectRatio="xMidYMin slice">
      {jacks.map(({ x, y }) => (
        <g key={`${x}.${y}`}>
          <circle class="board__jack" cx={x} cy={y} r="11" />
          <circle class="board__hole" cx={x} cy={y} r="4.5" />
        </g>
      ))}
      {cords.map(({ from, to, deep, colour }) => {
        const path = `M${from[0]} ${from[1]}C${from[0] + 8} ${deep} ${to[0] - 8} ${deep} ${to[0]} ${to[1]}`
        return (
          <g key={colour}>
            <path class="board__shadow" d={path} transform="translate(3 7)" />
            <path class={`board__cord board--${colour}`} d={path} />
            <Plug x={from[0]} y={from[1]} colour={colour} />
            <Plug x={to[0]} y={to[1]} colour={colour} />
          </g>
        )
      })}
      {lamps.map(([x, y]) => (
        <g key={`${x}.${y}`}>
          <circle class="board__glow" cx={x} cy={y} r="12" />
          <circle class="board__lamp" cx={x} cy={y} r="4.5" />
        </g>
      ))}
    </svg>
  )
}

function Plug({ x, y, colour }: { x: number; y: number; colour: string }) {
  return (
    <g>
      <rect class={`board__plug board--${colour}`} x={x - 8} y={y - 28} width="16" height="34" rx="6" />
      <rect class="board__tip" x={x - 4} y={y - 35} width="8" height="10" rx="3" />
    </g>
  )
}
