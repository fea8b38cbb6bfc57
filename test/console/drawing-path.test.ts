import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { curve, middleOf } from '../../console/src/drawing/focus/edge-path.ts'
import type { Point } from '../../console/src/drawing/layout/layout.ts'

const place = fc.record({ x: fc.integer({ max: 2_000, min: 0 }), y: fc.integer({ max: 2_000, min: 0 }) })
const steps = 64

/** Places on a path of the commands M, L, Q and C, close to each other. */
function placesOn(path: string): Point[] {
  const found: Point[] = []
  let from: Point = { x: 0, y: 0 }
  for (const [, command = '', numbers = ''] of path.matchAll(/([MLQC])([^MLQC]*)/g)) {
    const points = [...numbers.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => ({
      x: Number(x),
      y: Number(y),
    }))
    const all = [from, ...points]
    if (command !== 'M') for (let step = 0; step <= steps; step += 1) found.push(bezier(all, step / steps))
    from = points.at(-1) ?? from
  }
  return found
}

/** De Casteljau: the place of a Bézier curve of any degree. */
function bezier(points: readonly Point[], part: number): Point {
  if (points.length === 1) return points[0] as Point
  const shorter = points.slice(1).map((end, at) => {
    const begin = points[at] as Point
    return { x: begin.x + (end.x - begin.x) * part, y: begin.y + (end.y - begin.y) * part }
  })
  return bezier(shorter, part)
}

describe('the sign of an edge', () => {
  it('stands on the line, however many bends that has', () => {
    fc.assert(
      fc.property(fc.array(place, { minLength: 2, maxLength: 12 }), (points) => {
        const middle = middleOf(points)
        const distances = placesOn(curve(points)).map(({ x, y }) => Math.hypot(x - middle.x, y - middle.y))
        // The path has one digit after the point.
        expect(Math.min(...distances)).toBeLessThan(0.5)
      }),
    )
  })

  it('is at neither end of a straight line', () => {
    expect(
      middleOf([
        { x: 0, y: 0 },
        { x: 10, y: 20 },
      ]),
    ).toEqual({ x: 5, y: 10 })
  })
})
