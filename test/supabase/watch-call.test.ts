import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchCall } from '../../src/database/sql-functions/watch-call.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** Watches a call that ends only when it is given up, or after the last of these answers. Says what was left of them. */
async function watchWith(answers: (boolean | undefined)[]): Promise<{ givenUp: boolean; left: number }> {
  let givenUp = false
  let asked = 0
  const isLost = async () => {
    asked += 1
    return answers.shift()
  }
  const giveUp = () => {
    givenUp = true
  }
  const end = watchCall({ afterMs: 5, isLost, giveUp })
  while (answers.length > 0 && !givenUp) await vi.advanceTimersByTimeAsync(1)
  end()
  // Nothing is asked or given up any more once the call has ended.
  const before = asked
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toBe(before)
  return { givenUp, left: answers.length }
}

it.each([
  ['nobody is writing twice in a row', [true, true, false], { givenUp: true, left: 1 }],
  ['somebody is writing', [false, false, false], { givenUp: false, left: 0 }],
  ['nobody is writing once only', [true, false, true, false], { givenUp: false, left: 0 }],
  ['nobody can say', [undefined, undefined, undefined], { givenUp: false, left: 0 }],
])('a silent write where %s', async (_where, answers, expected) => {
  expect(await watchWith([...answers])).toEqual(expected)
})

it('a write that is answered in time is not asked about', async () => {
  let asked = 0
  const isLost = async () => {
    asked += 1
    return true
  }
  watchCall({ afterMs: 30, isLost, giveUp: () => undefined })()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toBe(0)
})
