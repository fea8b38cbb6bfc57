import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { watchCall } from '../../src/database/sql-functions/watch-call.ts'

/** Watches a call that ends only when it is given up, or after the last of these answers. Says what was left of them. */
async function watchWith(answers: (boolean | undefined)[]): Promise<{ givenUp: boolean; left: number }> {
  const ended = Promise.withResolvers<void>()
  let givenUp = false
  const isLost = async () => {
    if (answers.length === 1) setImmediate(ended.resolve)
    return answers.shift()
  }
  const giveUp = () => {
    givenUp = true
    ended.resolve()
  }
  const end = watchCall({ afterMs: 5, isLost, giveUp })
  await ended.promise
  end()
  // Nothing is asked or given up any more once the call has ended.
  await sleep(20)
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
  await sleep(60)
  expect(asked).toBe(0)
})
