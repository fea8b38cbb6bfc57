import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, registration, scratchFolder, serving } from './coordinator-process.ts'

const nodeArgs = ['--import', resolve('test/main/unforeseen-fault.ts')]

describe('coordinator serve: an unforeseen fault', () => {
  it.each([
    ['SIGUSR2', 'a fault made by the test'],
    ['SIGHUP', 'a rejection made by the test'],
  ] as const)(
    '%s: is logged and ends the process with 1, and what was acknowledged is there',
    async (signal, text) => {
      await using folder = await scratchFolder()
      const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
      const coordinator = await serving({ env, nodeArgs })
      const { body } = await ask(`${coordinator.url}/register`, 'POST', registration('kept'))
      const { code, stdout, stderr } = await coordinator.stop(signal)
      expect(code).toBe(1)
      expect(stdout).toContain('"level":"fatal"')
      expect(stdout).toContain(text)
      expect(stderr).toMatch(/^coordinator: .+ \[COORD_INTERNAL\]\n/)
      await using again = await serving({ env })
      expect((await ask(`${again.url}/services/${body.serviceId}`)).status).toBe(200)
    },
  )
})
