import { describe, expect, it } from 'vitest'
import { BaseSchedule } from '../../../src/archive/archiver/base-schedule.ts'

const HOUR = 3_600_000

function scheduleAt(start: number) {
  let now = start
  const schedule = new BaseSchedule({ baseHours: 24, clock: () => now })
  const dueIn = (ms: number): boolean => {
    now += ms
    return schedule.isDue
  }
  return { schedule, dueIn, now: () => now }
}

describe('the next base', () => {
  it('is due at once if there is none, and a day after the last one', () => {
    const { schedule, dueIn, now } = scheduleAt(1_000 * HOUR)
    expect(dueIn(0)).toBe(true)
    schedule.begun()
    schedule.done(now())
    expect(dueIn(23.9 * HOUR)).toBe(false)
    // With a twentieth of the time at most, so that several coordinators do not begin together.
    expect(dueIn(1.4 * HOUR)).toBe(true)
  })

  it('counts from when another coordinator wrote the last one', () => {
    const { schedule, dueIn, now } = scheduleAt(1_000 * HOUR)
    schedule.done(now() - 20 * HOUR)
    expect(dueIn(3.9 * HOUR)).toBe(false)
    expect(dueIn(1.4 * HOUR)).toBe(true)
  })

  it('that is needed waits for five minutes after the last one was begun', () => {
    const { schedule, dueIn, now } = scheduleAt(1_000 * HOUR)
    schedule.begun()
    schedule.done(now())
    schedule.needed()
    expect(dueIn(299_999)).toBe(false)
    expect(dueIn(1)).toBe(true)
  })

  it('is not put off by a clock that was ahead, here or at the destination', () => {
    const { schedule, dueIn, now } = scheduleAt(1_000 * HOUR)
    expect(dueIn(9_000 * HOUR)).toBe(true)
    schedule.begun()
    schedule.done(now())
    expect(dueIn(-9_000 * HOUR)).toBe(false)
    expect(dueIn(24 * HOUR)).toBe(true)
    schedule.done(now() + 9_000 * HOUR)
    expect(dueIn(25.3 * HOUR)).toBe(true)
  })
})
