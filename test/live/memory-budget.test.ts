import { describe, expect, it } from 'vitest'
import { MemoryBudget, type MemoryState } from '../../src/live/memory/memory-budget.ts'
import { oldGenerationLimit, ProcessHeap } from '../../src/live/memory/process-heap.ts'
import { FakeHeap } from '../support/fake-heap.ts'

const mebibyte = 1_048_576

describe('the memory budget', () => {
  it('lets garbage be no reason to say no', async () => {
    const { heap, budget } = FakeHeap.watched({ neededBytes: 500, garbageBytes: 400 })
    budget.grew(400)
    expect(budget.hasRoom(10, 'full')).toBe(false)
    expect(await budget.claimRoom(10, 'full')).toBe(true)
    expect(heap.collections).toBe(1)
    expect(budget).toMatchObject({ state: 'free', usedBytes: 500 })
  })

  it('counts what was kept since the last collection, but never more than there is', () => {
    const { heap, budget } = FakeHeap.watched({ neededBytes: 500 })
    budget.grew(100)
    expect(budget.usedBytes).toBe(500)
    heap.garbageBytes = 300
    expect(budget.usedBytes).toBe(600)
  })

  it('is full from 85 % on until it is below 80 %, and exhausted from 95 % on until it is below 90 %', async () => {
    const { heap, budget } = FakeHeap.watched({ neededBytes: 0 })
    const states: MemoryState[] = []
    budget.watch((state) => states.push(state))
    const stateAt = async (part: number) => {
      heap.neededBytes = part
      await budget.collected()
      return budget.state
    }
    expect(await stateAt(849)).toBe('free')
    expect(await stateAt(850)).toBe('full')
    expect(await stateAt(800)).toBe('full')
    expect(await stateAt(950)).toBe('exhausted')
    expect(await stateAt(900)).toBe('exhausted')
    expect(await stateAt(899)).toBe('full')
    expect(await stateAt(799)).toBe('free')
    expect(states).toEqual(['full', 'exhausted', 'full', 'free'])
  })

  it('refuses what does not fit beside work under way, without calling the memory full', async () => {
    const { budget } = FakeHeap.watched({ neededBytes: 500 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const work = budget.holding(300, () => promise)
    expect(await budget.claimRoom(100, 'full')).toBe(false)
    expect(budget.state).toBe('free')
    resolve()
    await work
    expect(await budget.claimRoom(100, 'full')).toBe(true)
  })

  it('stays exhausted until what did not fit would, so that it does not begin in vain again and again', async () => {
    const { heap, budget } = FakeHeap.watched({ neededBytes: 800 })
    const stateAt = async (part: number) => {
      heap.neededBytes = part
      await budget.collected()
      return budget.state
    }
    expect(await budget.claimRoom(200, 'exhausted')).toBe(false)
    expect(budget.state).toBe('exhausted')
    expect(await stateAt(790)).toBe('exhausted')
    expect(await stateAt(740)).toBe('free')
    expect(await budget.claimRoom(200, 'exhausted')).toBe(true)
  })

  it('leaves room for work at hand: small heaps are full earlier, large ones are not', () => {
    const boundsOf = (limitMiB: number) => {
      const heap = new FakeHeap({ neededBytes: 0 }, limitMiB * mebibyte)
      const budget = new MemoryBudget(Object.assign(heap, { workBytes: 16 * mebibyte }))
      return [budget.boundOf('full'), budget.boundOf('exhausted')].map((bytes) => bytes / mebibyte)
    }
    expect(boundsOf(100)).toEqual([74, 84])
    expect(boundsOf(320)).toEqual([272, 304])
    expect(boundsOf(1_000)).toEqual([850, 950])
  })

  it('confirms room for the same bytes to all who bring them, and holds it for none', async () => {
    const { budget } = FakeHeap.watched({ neededBytes: 860, garbageBytes: 100 })
    budget.grew(100)
    const asked = [1, 2].map(() => budget.confirmRoom(50, 'exhausted'))
    expect(await Promise.all(asked)).toEqual([true, true])
    expect(budget.state).not.toBe('exhausted')
    expect(await budget.confirmRoom(100, 'exhausted')).toBe(false)
    expect(budget.state).toBe('exhausted')
  })

  it('collects once for all who ask meanwhile', async () => {
    const { heap, budget } = FakeHeap.watched({ neededBytes: 840, garbageBytes: 100 })
    budget.grew(100)
    const asked = Array.from({ length: 50 }, () => budget.claimRoom(20, 'full'))
    expect(new Set(await Promise.all(asked))).toEqual(new Set([false]))
    expect(heap.collections).toBeLessThanOrEqual(2)
    expect(budget.state).toBe('full')
  })
})

describe('the heap of a process', () => {
  it.each([
    ['NODE_OPTIONS or an argument', 448, '--max-old-space-size=256', 256],
    ['the last one of several', 448, '--max-old-space-size=512 --max_old_space_size=256', 256],
    ['young generation by a flag', 4_120, '--max-semi-space-size=8', 4_096],
    ['the whole heap by a flag', 300, '--max-heap-size=300', 240],
    ['no flag', 4_288, '', 4_096],
    ['no flag on a small machine', 268, '', 256],
  ])('knows its old generation by %s', (_, limit, flags, expected) => {
    expect(oldGenerationLimit(limit * mebibyte, flags)).toBeCloseTo(expected * mebibyte, -6)
  })

  it('sees a major collection that it asked for, without a word on standard error', async () => {
    const heap = new ProcessHeap()
    const warnings: string[] = []
    const onWarning = ({ message }: Error) => warnings.push(message)
    process.on('warning', onWarning)
    let seen = 0
    const forget = heap.onCollected(() => {
      seen += 1
    })
    await heap.collect()
    await expect.poll(() => seen).toBeGreaterThan(0)
    forget()
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
    expect(heap.usedBytes).toBeLessThan(heap.limitBytes)
  })
})
