import { type Box, GAP, type Layout, type LayoutWanted, type Line, type Point } from './layout.ts'

/** The most boxes one above the other. A longer column becomes several. */
const TALLEST = 11
/** How often the order of the columns is improved. More rounds change nothing that can be seen. */
const ROUNDS = 6
/** Above the columns, for their headings. */
const HEADING = 34

/** Lays boxes out in columns, one or more for each distance, so that few lines cross. */
export function stepsLayout({ boxes, lines, columns, fromRight = false }: LayoutWanted): Layout {
  const last = Math.max(0, ...(columns?.values() ?? []))
  const byDistance: Box[][] = Array.from({ length: last + 1 }, () => [])
  for (const box of boxes) byDistance[Math.min(columns?.get(box.id) ?? last, last)]?.push(box)
  order(byDistance, lines)

  const stacks = byDistance.flatMap((column, distance) =>
    inParts(column).map((part) => ({ part, distance, width: Math.max(...part.map(({ width }) => width)) })),
  )
  if (fromRight) stacks.reverse()
  const heights = stacks.map(({ part }) => heightOf(part))
  const tallest = Math.max(0, ...heights)
  const places = new Map<string, Point>()
  const headings = new Map<number, number[]>()
  let left: number = GAP.margin
  let before: number | undefined
  for (const [at, { part, distance, width }] of stacks.entries()) {
    // Parts of one column stand closer together than columns.
    if (before !== undefined) left += before === distance ? GAP.beside * 2 : GAP.between
    before = distance
    const x = left + width / 2
    headings.set(distance, [...(headings.get(distance) ?? []), x])
    let y = HEADING + GAP.margin + (tallest - (heights[at] ?? 0)) / 2
    for (const box of part) {
      places.set(box.id, { x, y: y + box.height / 2 })
      y += box.height + GAP.beside
    }
    left += width
  }
  return {
    width: left + GAP.margin,
    height: HEADING + tallest + 2 * GAP.margin,
    places,
    routes: routesOf(lines, boxes, places),
    headings: [...headings].map(([distance, xs]) => ({ distance, x: middle(xs) })),
  }
}

function middle(numbers: readonly number[]): number {
  return (Math.min(...numbers) + Math.max(...numbers)) / 2
}

function heightOf(part: readonly Box[]): number {
  return part.reduce((sum, { height }) => sum + height, 0) + GAP.beside * Math.max(0, part.length - 1)
}

/** A column in parts of about the same length. */
function inParts(column: readonly Box[]): readonly (readonly Box[])[] {
  const count = Math.ceil(column.length / TALLEST)
  const size = Math.ceil(column.length / Math.max(1, count))
  return Array.from({ length: count }, (_, part) => column.slice(part * size, (part + 1) * size))
}

/** Puts each box beside the middle of those to which it has lines: columns are sorted by their neighbours, there and back. */
function order(columns: readonly Box[][], lines: readonly Line[]): void {
  const others = new Map<string, string[]>()
  for (const { source, target } of lines)
    for (const [one, other] of [
      [source, target],
      [target, source],
    ] as const) {
      const known = others.get(one)
      if (known === undefined) others.set(one, [other])
      else known.push(other)
    }
  // Between 0 and 1, so that columns of different lengths can be compared.
  const heights = new Map<string, number>()
  const note = (column: readonly Box[]) => {
    for (const [at, { id }] of column.entries()) heights.set(id, (at + 0.5) / column.length)
  }
  for (const column of columns) note(column)
  for (let round = 0; round < ROUNDS; round += 1)
    for (const column of round % 2 === 0 ? columns : columns.toReversed()) {
      const wished = new Map(column.map(({ id }) => [id, mean(others.get(id) ?? [], heights, id)]))
      column.sort((one, other) => (wished.get(one.id) ?? 0) - (wished.get(other.id) ?? 0))
      note(column)
    }
}

function mean(ids: readonly string[], heights: ReadonlyMap<string, number>, self: string): number {
  const own = heights.get(self) ?? 0.5
  if (ids.length === 0) return own
  return ids.reduce((sum, id) => sum + (heights.get(id) ?? own), 0) / ids.length
}

/** Lines between columns leave a box at its side. Lines within a column bow out beside it. */
function routesOf(lines: readonly Line[], boxes: readonly Box[], places: ReadonlyMap<string, Point>) {
  const widths = new Map(boxes.map(({ id, width }) => [id, width]))
  const routes = new Map<string, readonly Point[]>()
  for (const { id, source, target } of lines) {
    const [from, to] = [places.get(source), places.get(target)]
    if (from === undefined || to === undefined || source === target) continue
    const [half, otherHalf] = [(widths.get(source) ?? 0) / 2, (widths.get(target) ?? 0) / 2]
    if (Math.abs(from.x - to.x) < 1) {
      const x = from.x + half
      const bow = x + Math.min(GAP.between * 0.6, 16 + Math.abs(from.y - to.y) / 8)
      routes.set(id, [
        { x, y: from.y },
        { x: bow, y: from.y },
        { x: bow, y: to.y },
        { x: to.x + otherHalf, y: to.y },
      ])
      continue
    }
    const way = Math.sign(to.x - from.x)
    const [start, end] = [from.x + way * half, to.x - way * otherHalf]
    const bend = (end - start) / 2
    routes.set(id, [
      { x: start, y: from.y },
      { x: start + bend, y: from.y },
      { x: end - bend, y: to.y },
      { x: end, y: to.y },
    ])
  }
  return routes
}
