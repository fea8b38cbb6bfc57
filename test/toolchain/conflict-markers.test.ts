import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const marker = /^(<{7} |={7}$|>{7} )/m

it('no text of the repository has the marks of an unfinished merge', () => {
  const files = execFileSync('git', ['ls-files', '*.md', '*.json', '*.yml', '*.yaml', '*.sql', '*.sh'], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
  expect(files).toContain('README.md')
  expect(files.filter((file) => marker.test(readFileSync(file, 'utf8')))).toEqual([])
})
