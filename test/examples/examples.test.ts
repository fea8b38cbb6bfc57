import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { plainEnv, runCoordinator, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const execute = promisify(execFile)

const examples: Readonly<Record<string, () => Promise<void>>> = {
  async 'quick-check.sh'() {
    await using coordinator = await serving()
    const { stdout } = await execute('examples/quick-check.sh', [coordinator.url], { env: plainEnv() })
    expect(stdout).toMatch(
      /"changed":true[\s\S]*\n201\n[\s\S]*"changed":false[\s\S]*\n200\n[\s\S]*quick check passed\n$/,
    )
  },

  async 'restart-with-sqlite.sh'() {
    const { stdout } = await execute('examples/restart-with-sqlite.sh', [], {
      env: plainEnv(),
      timeout: 60_000,
    })
    expect(stdout).toContain('12 services: 12 new')
    expect(stdout).toMatch(/every service is there, with its id and revision\n$/)
  },

  async data() {
    for (const file of readdirSync('examples/data').filter((name) => name.endsWith('.json'))) {
      await using coordinator = await serving()
      const { code, stdout, stderr } = await runCoordinator([
        'import',
        `examples/data/${file}`,
        '--url',
        coordinator.url,
      ])
      expect({ file, code }).toEqual({ file, code: 0 })
      expect(stdout).toMatch(/^(\d+) services: \1 new, 0 changed, 0 unchanged, 0 failed\n$/)
      // Both systems have something odd; of each kind a few are shown. What takes long says how far it is.
      expect(stderr.replaceAll(/^\d+ services(, \d+ %)?\n/gm, '')).toMatch(
        /^(item \d+ \([\w-]+\): warning: .+ \[\w+\]\n|and \d+ more warnings of this kind \[\w+\]\n)+(Next: coordinator graph [a-z]+ --url \S+\n)+$/,
      )
      expect(stderr.split('\n').length).toBeLessThan(10)
    }
  },
}

describe('examples', () => {
  it('each of them is run here', () => {
    expect(readdirSync('examples').sort()).toEqual(Object.keys(examples).sort())
  })

  for (const [name, run] of Object.entries(examples)) {
    const programs = name.endsWith('.sh') ? ['bash', 'curl'] : []
    itWith(...programs)(`examples/${name} works`, run, 120_000)
  }
})
