import type { Point } from '../layout/layout.ts'

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'

const WAYS: Readonly<Record<Arrow, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

export function isArrow(key: string): key is Arrow {
  return Object.hasOwn(WAYS, key)
}

/** The node to which an arrow key leads: the nearest one in that direction. A distance to the side counts three times. @returns `undefined` at the border */
export function nextNode(places: ReadonlyMap<string, Point>, from: string, arrow: Arrow): string | undefined {
  const start = places.get(from)
  if (start === undefined) return undefined
  const way = WAYS[arrow]
  let best: { readonly id: string; readonly cost: number } | undefined
  for (const [id, { x, y }] of places) {
    if (id === from) continue
    const [dx, dy] = [x - start.x, y - start.y]
    const ahead = dx * way.x + dy * way.y
    const aside = Math.abs(dx * way.y) + Math.abs(dy * way.x)
    if (ahead < 1 || aside > ahead * 3) continue
    const cost = ahead + aside * 3
    if (best === undefined || cost < best.cost) best = { id, cost }
  }
  return best?.id
}
