import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const execute = promisify(execFile)
const module = resolve('src/workers/trim-heap.ts')

/** Runs a program that leaves garbage and a large space for new objects behind. @returns what it prints, as JSON */
async function runAfterGarbage<T>(then: string): Promise<T> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { trimHeap, trimHeapAtRest } from ${JSON.stringify(module)}
    let kept = []
    for (let round = 0; round < 200; round += 1) kept = [kept.slice(-1), Array.from({ length: 10_000 }, () => ({}))]
    const newSpace = () =>
      getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').physical_space_size
    const before = newSpace()
    ${then}`
  const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', program])
  expect(stderr).toBe('')
  return JSON.parse(stdout) as T
}

describe('the heap of a thread', () => {
  it('gives back the space for new objects when it is trimmed', async () => {
    const [before, after, gc] = await runAfterGarbage<[number, number, string]>(
      'trimHeap(); console.log(JSON.stringify([before, newSpace(), typeof globalThis.gc]))',
    )
    expect(before).toBeGreaterThan(4_000_000)
    expect(after).toBeLessThan(2_000_000)
    // No program gets a way to collect garbage by it.
    expect(gc).toBe('undefined')
  })

  it('is trimmed once the thread rests, and not while it works', async () => {
    const [working, resting] = await runAfterGarbage<[number, number]>(`
      trimHeapAtRest({ everyMs: 100 })
      const end = performance.now() + 500
      const work = () => new Promise((resolve) => setTimeout(resolve))
      while (performance.now() < end) {
        const pause = performance.now() + 20
        while (performance.now() < pause);
        await work()
      }
      const working = newSpace()
      while (newSpace() > 2_000_000) await new Promise((resolve) => setTimeout(resolve, 50))
      console.log(JSON.stringify([working, newSpace()]))`)
    expect(working).toBeGreaterThan(4_000_000)
    expect(resting).toBeLessThan(2_000_000)
  })

  it('stays as it is where it is large, and keeps nothing alive', async () => {
    const [before, after] = await runAfterGarbage<[number, number]>(`
      trimHeapAtRest({ everyMs: 50, maxHeapBytes: 1 })
      await new Promise((resolve) => setTimeout(resolve, 400))
      console.log(JSON.stringify([before, newSpace()]))
      trimHeapAtRest({ everyMs: 3_600_000 })`)
    expect(after).toBeGreaterThanOrEqual(before)
  })
})
