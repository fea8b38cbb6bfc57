import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { plainEnv, serving } from '../main/coordinator-process.ts'

/** `script` gives a command a terminal; not every machine has it. */
const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

describe('coordinator import on a terminal', () => {
  it.runIf(hasScript)('ends, also after more warnings than it shows', async () => {
    await using coordinator = await serving()
    const command = `'${process.execPath}' bin/coordinator.js import examples/data/opentelemetry-demo.json`
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      env: plainEnv({ COORDINATOR_URL: coordinator.url }),
      timeout: 20_000,
      encoding: 'utf8',
    })
    expect(stdout).toContain('more warnings of this kind')
    expect(status).toBe(0)
  })
})
