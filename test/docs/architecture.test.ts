import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf } from '../architecture/layers.ts'

const page = readFileSync('docs/architecture.md', 'utf8')
const files = globSync('src/**/*.ts').map(normalize)

/** The files of `src` that a file imports, types included. */
function importedBy(file: string): readonly string[] {
  return importsOf(readFileSync(file, 'utf8'))
    .filter((module) => module.startsWith('.'))
    .map((module) => normalize(join(dirname(file), module)))
}

/** The box of the drawing with a file: its own, or that of the nearest folder above it. */
function boxOf(file: string, boxes: ReadonlySet<string>): string | undefined {
  for (let path = file; path !== '.'; path = dirname(path)) if (boxes.has(path)) return path
  return undefined
}

describe('the drawing of the rooms', () => {
  const names = new Map(
    [...page.matchAll(/(\w+)\["(src\/[^"]+)"\]/g)].map(([, id = '', path = '']) => [id, path]),
  )
  const boxes = new Set(names.values())
  const arrows = [...page.matchAll(/^ +(\w+)\S* --> (\w+)/gm)].map(([, from = '', to = '']) => ({
    from: names.get(from) ?? from,
    to: names.get(to) ?? to,
  }))

  function leadsTo(from: string, to: string): boolean {
    return arrows.some((arrow) => arrow.from === from && (arrow.to === to || leadsTo(arrow.to, to)))
  }

  it('has a box for every file', () => {
    expect(arrows.length).toBeGreaterThan(20)
    expect(files.filter((file) => boxOf(file, boxes) === undefined)).toEqual([])
  })

  it('has an arrow, or a way of several arrows, for every import between boxes', () => {
    const missing = files.flatMap((file) => {
      const from = boxOf(file, boxes) ?? file
      const to = importedBy(file).flatMap((other) => boxOf(other, boxes) ?? [])
      return to.filter((box) => box !== from && !leadsTo(from, box)).map((box) => `${from} --> ${box}`)
    })
    expect([...new Set(missing)]).toEqual([])
  })

  it('has no arrow that no import follows', () => {
    const drawn = arrows.filter(
      ({ from, to }) =>
        !files.some(
          (file) =>
            boxOf(file, boxes) === from && importedBy(file).some((other) => boxOf(other, boxes) === to),
        ),
    )
    expect(drawn).toEqual([])
  })
})

describe('the ways of requests', () => {
  const ways = page
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      title: section.split('\n')[0] ?? '',
      steps: [...section.matchAll(/^\d+\. `(src\/[^`]+)`(.*(?:\n {2,}.*)*)/gm)].map(
        ([, file = '', text = '']) => ({
          file,
          text,
        }),
      ),
    }))

  it('are those of a write, a read and a question about the graph', () => {
    expect(ways.map(({ title }) => title)).toEqual([
      '`POST /register`, to the call of PostgreSQL',
      '`GET /services/:id`',
      '`GET /knowledge-graph/impact`',
    ])
  })

  it('names only files and folders of src that exist', () => {
    const named = [...page.matchAll(/`(src\/[^`]+)`/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(40)
    expect(named.filter((path) => !existsSync(path))).toEqual([])
  })

  it.each(ways)('$title names files that exist, each once, at most 20', ({ steps }) => {
    const names = steps.map(({ file }) => file)
    expect(names.length).toBeGreaterThan(4)
    expect(names.length).toBeLessThanOrEqual(20)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((file) => !existsSync(file))).toEqual([])
  })

  it.each(ways)(
    '$title goes on to files that an earlier one imports, or that the named file passes in',
    ({ steps }) => {
      const broken = steps.slice(1).filter(({ file, text }, index) => {
        const [, giver] = /Passed in by `(src\/[^`]+)`/.exec(text) ?? []
        const before = giver === undefined ? steps.slice(0, index + 1).map((step) => step.file) : [giver]
        return !before.some((other) => importedBy(other).includes(file))
      })
      expect(broken).toEqual([])
    },
  )
})
