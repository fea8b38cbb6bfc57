import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Live } from '../../src/live/live.ts'
import { commitOf, put } from '../conformance/build.ts'
import { failureOf } from '../live/failure-of.ts'
import { inFolder } from './in-folder.ts'

/** A program that opens a transaction in a file, and keeps it until it is killed. */
async function holding(file: string): Promise<AsyncDisposable & { readonly pid: number | undefined }> {
  const script = `const { DatabaseSync } = require('node:sqlite')
    new DatabaseSync(process.argv[1]).exec('begin immediate')
    console.log('held')
    setInterval(() => {}, 1e9)`
  const other = spawn(process.execPath, ['-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(other.stdout, 'data')
  return {
    pid: other.pid,
    [Symbol.asyncDispose]: async () => {
      other.kill('SIGKILL')
      await once(other, 'exit')
    },
  }
}

describe('sqlite: a file that another program holds', () => {
  it(
    'answers writes not_written, names the program and how to find it, and goes on once it lets go',
    inFolder(async ({ file, store }) => {
      const live = new Live(
        store({ busyTimeoutMs: 100 }),
        { kinds: {}, projections: [] },
        { commitTimeoutMs: 2_000 },
      )
      await live.start()
      try {
        {
          await using other = await holding(file())
          const refused = await failureOf(live.commit(commitOf(put('a'))))
          expect(refused).toMatchObject({
            code: 'COORD_STORE_BUSY',
            outcome: 'not_written',
            retryable: true,
            hint: expect.stringContaining(`\`lsof ${file()}\``),
          })
          const owner = process.platform === 'linux' ? `Process ${other.pid} (` : 'Another program'
          expect(refused.detail.startsWith(owner), refused.detail).toBe(true)
          expect(refused.detail).toContain(`holds ${file()} for writing`)
          expect(live.status).toMatchObject({ state: 'degraded', code: 'COORD_STORE_BUSY' })
          expect(live.status.repair).toContain(`\`lsof ${file()}\``)
        }
        await expect.poll(() => live.status.state).toBe('ready')
        expect(await live.commit(commitOf(put('b')))).toMatchObject({ outcome: 'accepted', revision: 1 })
      } finally {
        await live.stop(100)
      }
    }),
  )
})
