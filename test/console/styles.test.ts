import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../console/src')

/** The classes that the rules of a style sheet begin with. */
function classesOf(css: string): ReadonlySet<string> {
  return new Set([...css.matchAll(/^\s*\.([a-z][a-z0-9-]*)/gm)].map(([, name = '']) => name))
}

function sharedClasses(sheets: readonly { readonly folder: string; readonly css: string }[]): string[] {
  const folders = new Map<string, Set<string>>()
  for (const { folder, css } of sheets)
    for (const name of classesOf(css)) folders.set(name, (folders.get(name) ?? new Set()).add(folder))
  return [...folders].filter(([, of]) => of.size > 1).map(([name, of]) => `.${name}: ${[...of].join(', ')}`)
}

describe('styles of the console', () => {
  const sheets = globSync('pages/**/*.css', { cwd: root }).map((file) => ({
    folder: dirname(file),
    css: readFileSync(join(root, file), 'utf8'),
  }))

  // The style sheet of a page stays in the document when somebody goes to another page.
  it('no page changes the looks of another one: each class belongs to one page', () => {
    const common = new Set(
      globSync('{styles,drawing}/**/*.css', { cwd: root }).flatMap((file) => [
        ...classesOf(readFileSync(join(root, file), 'utf8')),
      ]),
    )
    expect(sheets.length).toBeGreaterThan(5)
    expect(sharedClasses(sheets).filter((line) => !common.has(line.slice(1).split(':')[0] ?? ''))).toEqual([])
  })

  it('two sheets with the same class are found', () => {
    const planted = { folder: 'pages/planted', css: '.figures {\n  gap: 0;\n}' }
    expect(sharedClasses([...sheets, planted])).toContain('.figures: pages/overview, pages/planted')
  })
})
