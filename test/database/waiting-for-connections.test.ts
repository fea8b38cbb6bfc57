import { describe, expect, it } from 'vitest'
import { Semaphore } from '../../src/scheduling/semaphore.ts'

/** Work that ends when it is told to. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}

describe('calls that wait for a connection', () => {
  it('come through in their order, never more of them at once than there is room for', async () => {
    const semaphore = new Semaphore({ max: 2, timeoutMs: 60_000 })
    const order: number[] = []
    let [inside, most] = [0, 0]
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        semaphore.run(async ({ waited }) => {
          order.push(at)
          inside += 1
          most = Math.max(most, inside)
          expect(waited).toBe(at >= 2)
          await new Promise((resolve) => setImmediate(resolve))
          inside -= 1
        }),
      ),
    )
    expect([order, most]).toEqual([Array.from({ length: 20 }, (_, at) => at), 2])
    expect(semaphore.figures).toEqual({ inside: 0, waiting: 0, max: 2 })
  })

  it('let the next one come where the work fails', async () => {
    const semaphore = new Semaphore({ max: 1, timeoutMs: 60_000 })
    await expect(semaphore.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(await semaphore.run(async ({ waited, waitMs }) => [waited, waitMs])).toEqual([false, 0])
  })

  it('are refused where none becomes free in time, and are told to nobody but the one who counts them', async () => {
    let late = 0
    const semaphore = new Semaphore({ max: 1, timeoutMs: 50, onTimeout: () => (late += 1) })
    const first = held()
    const passing = semaphore.run(first.work)
    await expect(semaphore.run(async () => 'never')).rejects.toMatchObject({
      code: 'COORD_STORE_TIMEOUT',
      outcome: 'not_written',
      detail: 'None of 1 connections became free within 50 ms.',
    })
    expect([late, semaphore.figures.waiting, semaphore.figures.inside]).toEqual([1, 0, 1])
    // A call that waits after that does not stand behind the one that gave up.
    const waiting = semaphore.run(async ({ waited, waitMs }) => [waited, waitMs > 0])
    first.end()
    expect(await waiting).toEqual([true, true])
    await passing
  })

  it('are sent away when it closes, those that wait and those that come', async () => {
    const semaphore = new Semaphore({ max: 1, timeoutMs: 60_000 })
    const first = held()
    const passing = semaphore.run(first.work)
    const waiting = semaphore.run(async () => 'never')
    semaphore.close()
    const closed = { code: 'COORD_STORE_UNAVAILABLE', outcome: 'not_written' }
    await expect(waiting).rejects.toMatchObject(closed)
    await expect(semaphore.run(async () => 'never')).rejects.toMatchObject(closed)
    first.end()
    await passing
  })
})
