import type { Point } from '../layout/layout.ts'

const ARROW = { length: 8, half: 3.6 } as const

/** A smooth line through the points: its bends are rounded, its ends are exact. */
export function curve(points: readonly Point[]): string {
  const [first, ...others] = points
  const last = others.at(-1)
  if (first === undefined || last === undefined) return ''
  if (others.length === 3) {
    const [one, two] = others as unknown as readonly [Point, Point]
    return `M${at(first)}C${at(one)} ${at(two)} ${at(last)}`
  }
  let path = `M${at(first)}`
  for (const [index, point] of others.slice(0, -1).entries()) {
    const next = others[index + 1] as Point
    const end = index === others.length - 2 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    path += `Q${at(point)} ${at(end)}`
  }
  return others.length === 1 ? `${path}L${at(last)}` : path
}

/** The head of the arrow at the end of a line. */
export function arrow(points: readonly Point[]): string {
  const tip = points.at(-1)
  // The last point may be at the same place as the one before.
  const before = points.findLast(({ x, y }) => tip !== undefined && Math.hypot(tip.x - x, tip.y - y) > 0.5)
  if (tip === undefined || before === undefined) return ''
  const length = Math.hypot(tip.x - before.x, tip.y - before.y)
  const [ux, uy] = [(tip.x - before.x) / length, (tip.y - before.y) / length]
  const base = { x: tip.x - ux * ARROW.length, y: tip.y - uy * ARROW.length }
  const side = { x: -uy * ARROW.half, y: ux * ARROW.half }
  return `M${at(tip)}L${at({ x: base.x + side.x, y: base.y + side.y })}L${at({ x: base.x - side.x, y: base.y - side.y })}Z`
}

/** A loop at the upper right corner of a box that has a line to itself. */
export function loop({ x, y }: Point, width: number, height: number): readonly Point[] {
  const [right, top] = [x + width / 2, y - height / 2]
  return [
    { x: right - 22, y: top },
    { x: right - 22, y: top - 26 },
    { x: right + 26, y: y - 4 },
    { x: right, y: y - 4 },
  ]
}

/** The point of `curve` that is half of its bends from each end: it is on the line. */
export function middleOf(points: readonly Point[]): Point {
  const last = points.length - 1
  const of = (index: number) => points[index] as Point
  if (last < 1) return points[0] ?? { x: 0, y: 0 }
  if (last === 1) return between(of(0), of(1))
  if (last === 3) {
    const [a, b, c, d] = points as unknown as readonly [Point, Point, Point, Point]
    return { x: (a.x + 3 * b.x + 3 * c.x + d.x) / 8, y: (a.y + 3 * b.y + 3 * c.y + d.y) / 8 }
  }
  const bend = last / 2
  // The line goes through the middle between two of its bends, and not through the bends.
  if (!Number.isInteger(bend)) return between(of(Math.floor(bend)), of(Math.ceil(bend)))
  const begin = bend === 1 ? of(0) : between(of(bend - 1), of(bend))
  const end = bend === last - 1 ? of(last) : between(of(bend), of(bend + 1))
  return between(between(begin, end), of(bend))
}

function between(one: Point, other: Point): Point {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 }
}

function at({ x, y }: Point): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`
}
