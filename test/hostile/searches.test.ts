import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { longestTurnMs, watchingTurns } from './longest-turn.ts'

const services = 10_000
/** Two kilobytes of text for each service, so that a search reads twenty megabytes. */
const filling = Object.fromEntries(
  Array.from({ length: 32 }, (_, at) => [
    `member${at}`,
    `alpha beta gamma delta number ${at} of the service, in some words`,
  ]),
)
/** For how long a search may keep others waiting, in milliseconds of work. Without pauses it takes several times as long. */
const turnMaxMs = 75

describe('searches in many long registrations', () => {
  let coordinator: Serving

  beforeAll(async () => {
    coordinator = await serving({ nodeArgs: watchingTurns, env: { QUESTION_TIMEOUT_MS: '60000' } })
    for (let from = 0; from < services; from += 250) {
      const batch = Array.from({ length: 250 }, (_, at) =>
        registration(`s${from + at}`, { metadata: filling }),
      )
      const { body } = await ask(`${coordinator.url}/register/batch`, 'POST', batch)
      expect(body).toMatchObject({ failed: 0 })
    }
  }, 120_000)
  afterAll(() => coordinator[Symbol.asyncDispose]())

  it.each([
    ['words that all have', 'alpha beta gamma delta', services],
    [
      'words of which the last is nowhere',
      `number ${Array.from({ length: 14 }, (_, at) => at).join(' ')} zzz`,
      0,
    ],
    ['text that would be a slow pattern', '(a+)+$ (.*a){20}', 0],
  ])('for %s keep nobody waiting', async (_, q, total) => {
    const path = `${coordinator.url}/services?limit=1&q=${encodeURIComponent(q)}`
    // The first time much is compiled.
    await ask(path)
    const turns: number[] = []
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await longestTurnMs(coordinator)
      const answers = await Promise.all(Array.from({ length: 4 }, () => ask(path)))
      expect(answers.map(({ body }) => body.total)).toEqual([total, total, total, total])
      turns.push(await longestTurnMs(coordinator))
      if ((turns.at(-1) as number) <= turnMaxMs) return
    }
    expect(turns).toEqual([])
  })
})
