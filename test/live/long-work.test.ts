import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { workingFor } from '../../src/scheduling/client-question.ts'
import { LongWork } from '../../src/scheduling/long-work.ts'

/** Keeps the thread busy. */
function work(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** Work of others: so much in each turn of the event loop, until it is stopped. Counts the turns. */
function others(ms: number) {
  const state = { turns: 0, workedMs: 0, longestWaitMs: 0, stopped: false }
  let last = performance.now()
  const go = () => {
    if (state.stopped) return
    state.longestWaitMs = Math.max(state.longestWaitMs, performance.now() - last)
    const began = performance.now()
    work(ms)
    last = performance.now()
    state.workedMs += last - began
    state.turns += 1
    setImmediate(go)
  }
  setImmediate(go)
  return state
}

describe('long work', () => {
  it('goes on piece by piece in the order in which it came', async () => {
    const longWork = new LongWork()
    const order: string[] = []
    const run = async (name: string) => {
      for (let piece = 0; piece < 3; piece += 1) {
        await longWork.turn()
        order.push(`${name}${piece}`)
      }
    }
    await Promise.all([run('a'), run('b'), run('c')])
    expect(order).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
    expect(longWork.depth).toBe(0)
  })

  it('lets clients take turns: the work of one waits for one piece of each other, however many there are', async () => {
    const longWork = new LongWork()
    const order: string[] = []
    const piece = (client: string) => longWork.turn(client).then(() => order.push(client))
    const flood = Array.from({ length: 50 }, () => piece('flood'))
    const others = [
      piece('a'),
      workingFor('b', () => longWork.turn().then(() => order.push('b'))),
      piece('a'),
    ]
    await Promise.all([...flood, ...others])
    expect(order.slice(0, 5)).toEqual(['flood', 'a', 'b', 'flood', 'a'])
    expect(order).toHaveLength(53)
  })

  it('does not rest while somebody asks for that, though others have work in every turn', async () => {
    const longWork = new LongWork()
    const busy = others(1)
    const pieces = async () => {
      for (let piece = 0; piece < 5; piece += 1) {
        await longWork.turn()
        work(20)
      }
      return busy.turns
    }
    const hurried = await longWork.withoutRest(pieces)
    const rested = (await pieces()) - hurried
    busy.stopped = true
    // With its rests it leaves 40 ms to others after each piece.
    expect(hurried).toBeLessThan(20)
    expect(rested).toBeGreaterThan(hurried)
  })

  it('lets only one piece go on in a turn of the event loop', async () => {
    const longWork = new LongWork()
    let turns = 0
    let ended = false
    const count = () => {
      turns += 1
      if (!ended) setImmediate(count)
    }
    setImmediate(count)
    const at: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        await longWork.turn()
        at.push(turns)
      }),
    )
    ended = true
    expect(new Set(at).size).toBe(20)
  })

  it('leaves others at least two thirds of the time that they want, however much of it there is', async () => {
    const longWork = new LongWork()
    const neighbours = others(0.5)
    let longMs = 0
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        for (let piece = 0; piece < 3; piece += 1) {
          await longWork.turn()
          const began = performance.now()
          work(4)
          longMs += performance.now() - began
        }
      }),
    )
    neighbours.stopped = true
    await turn()
    expect(longMs).toBeGreaterThanOrEqual(30 * 3 * 4)
    // The machine may stop the thread in either part: a tenth is left for that.
    expect(neighbours.workedMs / longMs).toBeGreaterThan(1.8)
  })

  it('waits for nobody where nobody else wants the event loop', async () => {
    const longWork = new LongWork()
    let longMs = 0
    const began = performance.now()
    for (let piece = 0; piece < 30; piece += 1) {
      await longWork.turn()
      const at = performance.now()
      work(4)
      longMs += performance.now() - at
    }
    expect((performance.now() - began) / longMs).toBeLessThan(1.5)
  })
})
