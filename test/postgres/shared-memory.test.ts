import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'
import { itWith } from '../support/it-with.ts'
import { PostgresServer } from '../support/postgres.ts'
import { sharedMemoryOf } from '../support/shared-memory.ts'

const segments = () =>
  execFileSync('ipcs', ['-m'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(/\s+/)[1])

itWith('ipcs', 'ipcrm')('a server of the tests leaves no shared memory behind', async () => {
  const server = await PostgresServer.start()
  const id = sharedMemoryOf(server.dataFolder)
  expect(id).toMatch(/^\d+$/)
  expect(segments()).toContain(id)
  await server.dispose()
  // The sessions of a killed server end a moment later.
  await expect.poll(segments).not.toContain(id)
})
