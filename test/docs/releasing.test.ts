import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { commandsOf, commandWith } from '../../scripts/package/check-pages.ts'
import { plainEnv, scratchFolder } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const page = 'docs/releasing.md'
const execute = promisify(execFile)

/** A clone of a repository with nothing but what a release changes and checks. */
async function makeClone(folder: string): Promise<(script: string) => Promise<string>> {
  for (const path of ['package.json', 'package-lock.json', 'CHANGELOG.md', 'bin', 'scripts'])
    cpSync(path, join(folder, path), { recursive: true })
  const author = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' }
  const committer = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' }
  const env = plainEnv({ ...author, ...committer, npm_config_offline: 'true' })
  const run = async (script: string) =>
    (await execute('sh', ['-euc', script], { cwd: folder, env, timeout: 60_000 })).stdout
  await run(`git init --quiet && git remote add origin https://github.com/example/coordinator.git
    git add --all && git commit --quiet --message first`)
  return run
}

describe(page, () => {
  itWith('git', 'sh')(
    'has commands that set the repository and the version, commit and tag, and then pass the check before publishing',
    async () => {
      await using folder = await scratchFolder()
      const run = await makeClone(folder.path)
      const read = (path: string) => readFileSync(join(folder.path, path), 'utf8')
      const check = packageJson.scripts.prepublishOnly
      await expect(run(check)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^release: package\.json names no repository.*\nrelease: CHANGELOG\.md has no/,
        ),
      })

      await run(commandWith(page, 'npm pkg set'))
      expect(JSON.parse(read('package.json')).repository).toEqual({
        type: 'git',
        url: 'git+https://github.com/example/coordinator.git',
      })
      await run(commandWith(page, 'npm version').replace('npm run gen:check', ''))
      const { version } = JSON.parse(read('package.json')) as { version: string }
      expect(version).not.toBe(packageJson.version)
      expect(JSON.parse(read('package-lock.json')).version).toBe(version)
      await expect(run(check)).rejects.toMatchObject({ stderr: expect.stringContaining('not clean') })

      const changelog = read('CHANGELOG.md').replace(/^## Unreleased$/m, `## ${version} - 2026-12-01`)
      writeFileSync(join(folder.path, 'CHANGELOG.md'), changelog)
      await run(commandWith(page, 'git tag'))
      expect(await run('git tag --list')).toBe(`v${version}\n`)
      expect(await run('git log -1 --format=%s')).toBe(`Release ${version}\n`)
      expect(await run(check)).toBe('')
    },
    120_000,
  )

  it('runs only scripts of this project, and commands of npm and Git', () => {
    const lines = commandsOf(page).flatMap((block) => block.trim().split('\n'))
    const names = lines.map(
      (line) => /^npm run ([\w:]+)$/.exec(line)?.[1] ?? line.split(' ').slice(0, 2).join(' '),
    )
    const known = [
      'npm pkg',
      'npm version',
      'npm pack',
      'npm sbom',
      'npm publish',
      'npm audit',
      'git commit',
      'git tag',
    ]
    expect(names.filter((name) => !known.includes(name) && !(name in packageJson.scripts))).toEqual([])
    expect(names.length).toBeGreaterThan(10)
  })
})
