import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Runs before `npm publish`: what nobody could repair once the version is published. */
const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly version: string
  readonly repository?: { readonly url?: string }
}
const changed = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).trim()
const changelog = readFileSync('CHANGELOG.md', 'utf8')
const faults = [
  ...(repository?.url === undefined
    ? ['package.json names no repository: run the commands at the top of docs/releasing.md']
    : []),
  ...(changelog.includes(`\n## ${version} - `)
    ? []
    : [`CHANGELOG.md has no heading "## ${version} - YEAR-MONTH-DAY": rename "## Unreleased"`]),
  ...(changed === ''
    ? []
    : [`the working tree is not clean: commit or remove ${changed.split('\n').length} files`]),
]
for (const fault of faults) process.stderr.write(`release: ${fault}\n`)
if (faults.length > 0) process.exitCode = 1
