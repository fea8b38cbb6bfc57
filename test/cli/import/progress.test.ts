import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createProgress } from '../../../src/cli/import/progress.ts'

/** A stream that says it is a terminal, and what was written to it. */
function terminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { stream, text: () => text }
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

describe('the progress of an import on a terminal', () => {
  it('shows lines beside the bar, and keeps nothing alive once it was stopped, also after a late line', async () => {
    const before = timers()
    const { stream, text } = terminal()
    const progress = createProgress({ stderr: stream } as never)
    progress.update(5, 0.5)
    progress.note('a warning')
    expect(timers()).toBeGreaterThan(before)
    progress.stop()
    progress.note('and 3 more warnings of this kind')
    expect(timers()).toBe(before)
    await new Promise((resolve) => setImmediate(resolve))
    expect(text()).toContain('a warning')
    expect(text()).toContain('and 3 more warnings of this kind')
  })
})
