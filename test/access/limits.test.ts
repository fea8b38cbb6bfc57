import { describe, expect, it } from 'vitest'
import { StreamLimit } from '../../src/access/limits/stream-limit.ts'
import { WriteLimit } from '../../src/access/limits/write-limit.ts'
import { CoordinatorError } from '../../src/errors.ts'

/** A limit on a clock that the test moves. */
function limited(perSecond: number) {
  const clock = { ms: 1_000_000.25, refused: 0 }
  const limit = new WriteLimit({
    perSecond,
    now: () => clock.ms,
    onRefused: () => {
      clock.refused += 1
    },
  })
  return { clock, limit }
}

/** How many of some attempts are admitted. */
function admitted(times: number, attempt: () => void): number {
  let count = 0
  for (let at = 0; at < times; at += 1)
    try {
      attempt()
      count += 1
    } catch {
      // It is counted by its absence.
    }
  return count
}

function refusalOf(attempt: () => void): Partial<CoordinatorError> {
  try {
    attempt()
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) return thrown
    throw thrown
  }
  throw new Error('it was admitted')
}

describe('a limit of writes a second', () => {
  it.each([1, 3, 7, 100])('of %i admits so many at once, and then as fast as it says', (perSecond) => {
    const { clock, limit } = limited(perSecond)
    expect(admitted(2 * perSecond, () => limit.take('a'))).toBe(perSecond)
    let later = 0
    // 10 seconds, in steps of a hundredth.
    for (let step = 0; step < 1_000; step += 1) {
      clock.ms += 10
      later += admitted(3, () => limit.take('a'))
    }
    expect(later).toBe(10 * perSecond)
  })

  it('refuses with the whole seconds to wait, counts no refused write, and admits after that time', () => {
    const { clock, limit } = limited(2)
    limit.take('a', 7)
    const refusal = { code: 'COORD_RATE_LIMITED', status: 429, outcome: 'not_written', retryAfterSeconds: 3 }
    for (let again = 0; again < 3; again += 1) expect(refusalOf(() => limit.take('a'))).toMatchObject(refusal)
    expect(clock.refused).toBe(3)
    clock.ms += 3_000
    limit.take('a')
  })

  it('admits a batch that is larger than the limit, whose writer then waits until it is paid for', () => {
    const { clock, limit } = limited(10)
    limit.take('a', 1_000)
    expect(refusalOf(() => limit.take('a')).retryAfterSeconds).toBe(100)
    clock.ms += 98_000
    expect(admitted(1, () => limit.take('a'))).toBe(0)
    clock.ms += 1_100
    expect(admitted(5, () => limit.take('a'))).toBe(1)
  })

  it('of one does not concern another', () => {
    const { limit } = limited(5)
    limit.take('a', 500)
    expect(admitted(9, () => limit.take('b'))).toBe(5)
  })

  it('remembers 10,000 writers at most, and forgets those that are paid for as others come', () => {
    const { clock, limit } = limited(10)
    for (let at = 0; at < 20_000; at += 1) limit.take(`client ${at}`, 10)
    expect(limit.remembered).toBe(10_000)
    expect(admitted(1, () => limit.take('client 19999'))).toBe(0)
    clock.ms += 2_000
    for (let at = 0; at < 10_000; at += 1) {
      clock.ms += 100
      limit.take('another')
    }
    expect(limit.remembered).toBe(1)
  })
})

describe('a limit of open streams', () => {
  it('refuses one more of the same principal, but none of another, until one has closed', () => {
    const refusals: string[] = []
    const limit = new StreamLimit({ max: 2, onRefused: () => refusals.push('a') })
    const close = limit.open('a')
    limit.open('a')
    expect(refusalOf(() => limit.open('a'))).toMatchObject({
      code: 'COORD_RATE_LIMITED',
      status: 429,
      retryAfterSeconds: 1,
    })
    limit.open('b')
    close()
    // Closing twice frees one place.
    close()
    expect(admitted(3, () => limit.open('a'))).toBe(1)
    expect(refusals).toHaveLength(3)
  })
})
