import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

/** The packages that the first column of a section names. */
function listed(title: string): string[] {
  const section =
    readFileSync('docs/dependencies.md', 'utf8').split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap((row) =>
    (row[1] ?? '').split(', ').map((name) => name.replaceAll('`', '')),
  )
}

describe('docs/dependencies.md', () => {
  it('lists what the package depends on, in order', () => {
    expect(listed('In the package')).toEqual(Object.keys(packageJson.dependencies))
  })

  it('lists what the package can do without, in order', () => {
    expect(listed('In the package, optional')).toEqual(Object.keys(packageJson.optionalDependencies))
  })

  it('lists what development depends on, in order', () => {
    expect(listed('For development')).toEqual(Object.keys(packageJson.devDependencies))
  })
})

describe('package.json', () => {
  it('pins every version', () => {
    const versions = Object.entries({
      ...packageJson.dependencies,
      ...packageJson.optionalDependencies,
      ...packageJson.devDependencies,
    })
    expect(
      versions.filter(([, version]) => !/^(npm:[\w-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    ).toEqual([])
  })
})
