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

const erase = '\r\u001b[K'

describe('the progress of an import on a terminal', () => {
  it('shows lines above the bar, and nothing of the bar once it was stopped, also after a late line', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const { stream, text } = terminal()
    const progress = createProgress({ stderr: stream } as never)
    progress.update(5, 0.5)
    progress.note('a warning')
    progress.stop()
    progress.note('and 3 more warnings of this kind')
    progress.update(6, 0.6)
    await new Promise((resolve) => setImmediate(resolve))
    const bar = `${'█'.repeat(15)}${'░'.repeat(15)}  50 % | 5 services | `
    const [first = '', again = '', ...rest] = text().replaceAll(erase, '<erase>').split('a warning\n')
    expect(first).toMatch(/^<erase>[█░ ]+50 % \| 5 services \| \d+\/s<erase>$/u)
    expect(first).toContain(bar)
    expect(again).toContain(bar)
    expect(again).toMatch(/\/s<erase>and 3 more warnings of this kind\n$/u)
    expect(rest).toEqual([])
    // Nothing may keep the process alive.
    expect(timers()).toBe(before)
  })

  it('fits in the width of the terminal', async () => {
    const { stream, text } = terminal()
    stream.columns = 40
    createProgress({ stderr: stream } as never).update(1_234_567, 1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(text().replace(erase, '')).toHaveLength(39)
  })
})
