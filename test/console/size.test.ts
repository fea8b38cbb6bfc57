import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { builtConsole } from './browser/built-console.ts'

const [totalMax, firstMax, firstScriptMax] = [150_000, 60_000, 250_000]

interface BuiltFile {
  readonly name: string
  readonly bytes: number
  readonly compressed: number
}

/** The files of the build, and those that a browser needs before it shows anything: what index.html names, and their static imports. */
async function measure() {
  const folder = await builtConsole()
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  const file = (name: string): BuiltFile => {
    const bytes = readFileSync(join(folder, name))
    return { name, bytes: bytes.length, compressed: gzipSync(bytes, { level: 9 }).length }
  }
  const all = globSync(['index.html', 'assets/*.{js,css,svg}'], { cwd: folder }).map(file)
  const first = new Set(['index.html'])
  const follow = (names: Iterable<string>) => {
    for (const name of names) {
      if (first.has(name)) continue
      first.add(name)
      if (name.endsWith('.js')) follow(staticImports(text(name)).map((other) => `assets/${other}`))
    }
  }
  follow(
    [...text('index.html').matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g)].map(
      ([, name = '']) => name,
    ),
  )
  return { all, first: all.filter(({ name }) => first.has(name)) }
}

/** What a script imports before it runs. `import('./page.js')` is for later. */
function staticImports(script: string): string[] {
  return [...script.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([\w.-]+\.js)["'`]/g)].map(
    ([, name = '']) => name,
  )
}

function sum(files: readonly BuiltFile[], part: 'bytes' | 'compressed'): number {
  return files.reduce((total, file) => total + file[part], 0)
}

const shown = (files: readonly BuiltFile[]) =>
  files.map(({ name, compressed }) => `${name} ${compressed}`).join('\n')

describe('console: its size', () => {
  it(`is at most ${totalMax / 1_000} kB compressed, and ${firstMax / 1_000} kB until the first view`, async () => {
    const { all, first } = await measure()
    expect(first.some(({ name }) => name.endsWith('.js'))).toBe(true)
    expect(sum(all, 'compressed'), shown(all)).toBeLessThanOrEqual(totalMax)
    expect(sum(first, 'compressed'), shown(first)).toBeLessThanOrEqual(firstMax)
    const scripts = first.filter(({ name }) => name.endsWith('.js'))
    expect(sum(scripts, 'bytes'), shown(scripts)).toBeLessThanOrEqual(firstScriptMax)
    console.info(
      `console: ${sum(all, 'compressed')} bytes compressed, ${sum(first, 'compressed')} until the first view`,
    )
  })

  it('counts what scripts import at once, and not what they import later', () => {
    expect(
      staticImports(`import{a as b}from"./a-1.js";import"./b-2.js";const c=()=>import("./c-3.js")`),
    ).toEqual(['a-1.js', 'b-2.js'])
  })

  it('ships the licence of every library in it', async () => {
    const licences = readFileSync(join(await builtConsole(), 'licenses.txt'), 'utf8')
    for (const name of [
      'preact',
      '@preact/signals',
      '@preact/signals-core',
      '@dagrejs/dagre',
      'sigma',
      'graphology',
    ])
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.`, 'm'))
  })
})
