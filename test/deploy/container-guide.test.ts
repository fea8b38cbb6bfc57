import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect } from 'vitest'
import { itWith } from '../support/it-with.ts'
import { commandsOf } from './run-guide.ts'

const execute = promisify(execFile)

/** `container.long.test.ts` runs the commands of the first, where containers can be run. */
describe.each(['docs/container.md', 'docs/supabase-container.md'])('%s', (guide) => {
  itWith('bash')('has commands that a shell can read', async () => {
    const blocks = [...commandsOf(guide).values()].flat()
    expect(blocks.length).toBeGreaterThan(1)
    for (const block of blocks) await execute('bash', ['-n', '-c', block])
    await expect(execute('bash', ['-n', '-c', `${blocks[0]} |`])).rejects.toThrow('syntax error')
  })
})
