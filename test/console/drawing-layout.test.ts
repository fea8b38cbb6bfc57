import { describe, expect, it } from 'vitest'
import { nextNode } from '../../console/src/drawing/focus/next-node.ts'
import { fitted, readable, revealing, zoomed } from '../../console/src/drawing/focus/viewport.ts'
import { layersLayout } from '../../console/src/drawing/layout/layers-layout.ts'
import type { Box, Layout, Line } from '../../console/src/drawing/layout/layout.ts'
import { stepsLayout } from '../../console/src/drawing/layout/steps-layout.ts'
import {
  escapedText,
  fittingText,
  shownJson,
  shownText,
  textWidth,
} from '../../console/src/drawing/text/shown-text.ts'

describe('a layout in layers', () => {
  it('puts whoever needs something left of it, and gives every line a route', () => {
    const lines = [line('web', 'cart'), line('cart', 'db'), line('web', 'db')]
    const layout = layersLayout({ kind: 'layers', boxes: boxes('web', 'cart', 'db'), lines })
    expect(xOf(layout, 'web')).toBeLessThan(xOf(layout, 'cart'))
    expect(xOf(layout, 'cart')).toBeLessThan(xOf(layout, 'db'))
    for (const { id } of lines) expect(layout.routes.get(id)?.length).toBeGreaterThan(1)
    expectApart(layout, boxes('web', 'cart', 'db'))
  })

  it('puts boxes without lines into rows below the others', () => {
    const alone = Array.from({ length: 20 }, (_, at) => `alone${at}`)
    const all = boxes('a', 'b', ...alone)
    const layout = layersLayout({
      kind: 'layers',
      boxes: all,
      lines: [line('a', 'b'), line('alone0', 'alone0')],
    })
    const lowest = Math.max(yOf(layout, 'a'), yOf(layout, 'b'))
    for (const id of alone) expect(yOf(layout, id)).toBeGreaterThan(lowest)
    expectApart(layout, all)
  })

  it('lays out cycles, and several lines between the same boxes', () => {
    const lines = [line('a', 'b'), { ...line('a', 'b'), id: 'second' }, line('b', 'a')]
    const layout = layersLayout({ kind: 'layers', boxes: boxes('a', 'b'), lines })
    expect([...layout.routes.keys()].sort()).toEqual(['a>b', 'b>a', 'second'])
  })

  it('is empty for nothing', () => {
    expect(layersLayout({ kind: 'layers', boxes: [], lines: [] })).toMatchObject({ width: 0, height: 0 })
  })
})

describe('a layout in steps', () => {
  it('has one column for each distance, and column 0 at the right if the lines come from the left', () => {
    const columns = new Map([
      ['flagd', 0],
      ['cart', 1],
      ['web', 2],
    ])
    const lines = [line('cart', 'flagd'), line('web', 'cart')]
    const layout = stepsLayout({
      kind: 'steps',
      boxes: boxes('flagd', 'cart', 'web'),
      lines,
      columns,
      fromRight: true,
    })
    expect(xOf(layout, 'web')).toBeLessThan(xOf(layout, 'cart'))
    expect(xOf(layout, 'cart')).toBeLessThan(xOf(layout, 'flagd'))
    expect(layout.headings.map(({ distance }) => distance)).toEqual([2, 1, 0])
  })

  it('breaks a long column into several, under one heading', () => {
    const ids = Array.from({ length: 40 }, (_, at) => `n${at}`)
    const all = boxes('hub', ...ids)
    const columns = new Map([['hub', 0], ...ids.map((id) => [id, 1] as const)])
    const layout = stepsLayout({
      kind: 'steps',
      boxes: all,
      lines: ids.map((id) => line('hub', id)),
      columns,
    })
    expect(new Set(ids.map((id) => xOf(layout, id))).size).toBe(4)
    expect(layout.headings).toHaveLength(2)
    expect(layout.height).toBeLessThan(800)
    expectApart(layout, all)
  })

  it('sorts a column by what its boxes are joined to, so that lines do not cross', () => {
    const columns = new Map([
      ['a', 0],
      ['b', 0],
      ['x', 1],
      ['y', 1],
    ])
    const lines = [line('a', 'y'), line('b', 'x')]
    const layout = stepsLayout({ kind: 'steps', boxes: boxes('a', 'b', 'x', 'y'), lines, columns })
    expect(yOf(layout, 'a') < yOf(layout, 'b')).toBe(yOf(layout, 'y') < yOf(layout, 'x'))
  })
})

describe('the view of a drawing', () => {
  const frame = { width: 800, height: 600 }

  it('shows everything if it can be read, and else the surroundings of the centre', () => {
    const small = { width: 400, height: 300 }
    const begin = { centre: { x: 4_000, y: 3_000 }, smallest: 0.6 }
    expect(readable(small, frame, { ...begin, centre: undefined })).toEqual({ scale: 1.3, x: 140, y: 105 })
    const near = readable({ width: 8_000, height: 6_000 }, frame, begin)
    expect(near.scale).toBeGreaterThan(0.5)
    expect(4_000 * near.scale + near.x).toBeCloseTo(400)
    expect(fitted({ width: 8_000, height: 6_000 }, frame).scale).toBe(0.1)
    expect(readable({ width: 8_000, height: 6_000 }, frame, { ...begin, smallest: 0.1 }).scale).toBe(0.1)
  })

  it('enlarges around the pointer, within limits', () => {
    const view = zoomed({ x: 0, y: 0, scale: 1 }, 2, { x: 100, y: 50 })
    expect(view).toEqual({ scale: 2, x: -100, y: -50 })
    expect(zoomed(view, 1e9, { x: 0, y: 0 }).scale).toBe(4)
    expect(zoomed(view, 1e-9, { x: 0, y: 0 }).scale).toBe(0.05)
  })

  it('moves only as far as a box needs to be seen', () => {
    const view = { x: 0, y: 0, scale: 1 }
    const box = { width: 100, height: 40 }
    expect(revealing(view, frame, { ...box, x: 400, y: 300 })).toEqual(view)
    expect(revealing(view, frame, { ...box, x: 900, y: 300 })).toEqual({ x: -174, y: 0, scale: 1 })
  })

  it('leads an arrow key to the nearest box that way, and nowhere at the border', () => {
    const places = new Map([
      ['a', { x: 0, y: 0 }],
      ['b', { x: 200, y: 10 }],
      ['c', { x: 150, y: 140 }],
      ['d', { x: 0, y: 90 }],
    ])
    expect(nextNode(places, 'a', 'ArrowRight')).toBe('b')
    expect(nextNode(places, 'a', 'ArrowDown')).toBe('d')
    expect(nextNode(places, 'a', 'ArrowLeft')).toBeUndefined()
    expect(nextNode(places, 'nowhere', 'ArrowLeft')).toBeUndefined()
  })
})

describe('words in a drawing', () => {
  it('show what cannot be seen: control characters, and those that turn the direction of the text', () => {
    expect(shownText('a\u202eb\u0007c\u200bd')).toBe('a\ufffdb\ufffdc\ufffdd')
    expect(shownText('\u05e9\u05dc\u05d5\u05dd')).toBe('\u05e9\u05dc\u05d5\u05dd')
    expect(shownText('👩‍🚀')).toBe('👩‍🚀')
  })

  it('JSON shows them as their escapes, and stays the same JSON', () => {
    const value = { 'a\u202e': ['b\u200c', 'c\u{e0041}', '👩‍🚀', 'line 1\nline 2'] }
    const text = shownJson(value, 2)
    expect(text).not.toMatch(/[\u202e\u200c\u{e0041}]/u)
    expect(text).toContain('"c\\udb40\\udc41"')
    expect(text).toContain('👩‍🚀')
    expect(JSON.parse(text)).toEqual(value)
    expect(escapedText('line 1\nline\u202e 2')).toBe('line 1\nline\\u202e 2')
  })

  it('fit into a box, cut between letters and never within one', () => {
    expect(fittingText('cart', 20)).toBe('cart')
    const cut = fittingText('👩‍🚀'.repeat(255), 12)
    expect(cut).toMatch(/^(👩‍🚀)+…$/u)
    expect(textWidth(cut)).toBeLessThanOrEqual(12)
    expect(fittingText('e\u0301'.repeat(100), 10)).toMatch(/^(e\u0301)+…(e\u0301)+$/)
  })

  it('keep the end of a long name, which tells it from others, unless the text goes from the right to the left', () => {
    const names = [7, 8].map((at) => fittingText(`recommendation-engine-of-the-partners-in-europe-${at}`, 14))
    expect(names[0]).toMatch(/^recomm.*….*-7$/)
    expect(names[1]).toMatch(/^recomm.*….*-8$/)
    for (const name of names) expect(textWidth(name)).toBeLessThanOrEqual(14)
    expect(fittingText('\u05e9\u05dc\u05d5\u05dd '.repeat(20), 10)).toMatch(/…$/)
  })
})

function boxes(...ids: readonly string[]): Box[] {
  return ids.map((id) => ({ id, width: 120, height: 46 }))
}

function line(source: string, target: string): Line {
  return { id: `${source}>${target}`, source, target }
}

function xOf(layout: Layout, id: string): number {
  return layout.places.get(id)?.x ?? Number.NaN
}

function yOf(layout: Layout, id: string): number {
  return layout.places.get(id)?.y ?? Number.NaN
}

/** No box covers another one, and all are inside the drawing. */
function expectApart(layout: Layout, all: readonly Box[]): void {
  for (const [at, one] of all.entries()) {
    const [x, y] = [xOf(layout, one.id), yOf(layout, one.id)]
    expect(x - one.width / 2).toBeGreaterThanOrEqual(0)
    expect(x + one.width / 2).toBeLessThanOrEqual(layout.width)
    expect(y + one.height / 2).toBeLessThanOrEqual(layout.height)
    for (const other of all.slice(at + 1)) {
      const apart =
        Math.abs(x - xOf(layout, other.id)) >= (one.width + other.width) / 2 ||
        Math.abs(y - yOf(layout, other.id)) >= (one.height + other.height) / 2
      expect(apart, `${one.id} and ${other.id}`).toBe(true)
    }
  }
}
