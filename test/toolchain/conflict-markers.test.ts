import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const marker = /^(<{7} |={7}$|>{7} )/m

it('no text of the repository has the marks of an unfinished merge', () => {
  const files = globSync('{,.ci/,docs/**/,examples/**/,src/**/,test/**/}*.{md,json,yml,yaml,sql,sh}')
  expect(files).toContain('README.md')
  expect(files).toContain('docs/limits.md')
  expect(files.filter((file) => marker.test(readFileSync(file, 'utf8')))).toEqual([])
})
