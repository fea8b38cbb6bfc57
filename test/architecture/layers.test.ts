import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, layerOf, mayImport } from './layers.ts'

const files = globSync('src/**/*.ts').map(normalize).sort()

describe('layers', () => {
  it('every source file belongs to one layer', () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([])
  })

  it('a file imports only from its own layer and from those to its left', () => {
    const wrong: string[] = []
    for (const file of files) {
      for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
        if (!specifier.startsWith('.')) continue
        const target = join(dirname(file), specifier)
        if (!mayImport(file, target)) wrong.push(`${file} must not import ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('a relative import carries the extension .ts, which Node needs to run the source', () => {
    const wrong = files.flatMap((file) =>
      importsOf(readFileSync(file, 'utf8'))
        .filter((specifier) => specifier.startsWith('.') && !/\.(ts|json)$/.test(specifier))
        .map((specifier) => `${file}: ${specifier}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('the rule itself', () => {
  it.each([
    ['src/live/view/view.ts', 'src/database/store.ts', true],
    ['src/live/view/view.ts', 'src/database/memory/store.ts', false],
    ['src/registry/register.ts', 'src/live/view/view.ts', true],
    ['src/registry/register.ts', 'src/graph/impact.ts', false],
    ['src/graph/impact.ts', 'src/registry/register.ts', false],
    ['src/http/server.ts', 'src/database/open.ts', false],
    ['src/cli/migrate.ts', 'src/database/open.ts', true],
    ['src/cli/migrate.ts', 'src/database/postgres/store.ts', true],
    ['src/main.ts', 'src/cli/program.ts', true],
    ['src/cli/program.ts', 'src/main.ts', false],
    ['src/database/postgres/store.ts', 'src/database/sqlite/store.ts', false],
    ['src/database/postgres/store.ts', 'src/database/migrations/runner.ts', true],
    ['src/database/postgres/store.ts', 'src/live/view/view.ts', false],
    ['src/database/store.ts', 'src/database/postgres/store.ts', false],
    ['src/records/record.ts', 'src/config/settings.ts', true],
    ['src/config/settings.ts', 'src/telemetry/logging.ts', false],
    ['src/errors.ts', 'src/config/settings.ts', false],
  ])('%s importing %s: %s', (from, to, allowed) => {
    expect(mayImport(from, to)).toBe(allowed)
  })

  it('finds static, type-only, re-exporting and dynamic imports, and no strings', () => {
    const source = `
import { a } from './a.ts'
import type { B } from './b.ts'
import './c.ts'
import {
  d,
} from './d.ts'
export { e } from './e.ts'
export * from './f.ts'
const g = await import('./g.ts')
const text = 'nothing from ./h.ts'
type I = import('./i.ts').I
`
    const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'i']
    expect(importsOf(source).sort()).toEqual(letters.map((letter) => `./${letter}.ts`))
  })
})
