import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byCodeUnits, byNumber, SortedList } from '../../src/collections/sorted-list.ts'

const items = <T>(list: SortedList<T>) => list.chunks.flat()

describe('SortedList', () => {
  it('has what a sorted set has, after any additions and removals', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 60 })), { maxLength: 300 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 60 }), (given, first) => {
        const list = new SortedList<number>(byNumber)
        const model = new Set<number>()
        for (const [add, item] of given) {
          expect(add ? list.add(item) : list.delete(item)).toBe(add !== model.has(item))
          if (add) model.add(item)
          else model.delete(item)
        }
        const sorted = [...model].sort(byNumber)
        expect(items(list)).toEqual(sorted)
        expect(list.size).toBe(sorted.length)
        expect([...list.from(first)]).toEqual(sorted.filter((item) => item >= first))
        expect(list.has(first)).toBe(model.has(first))
      }),
    )
  })

  it('stays right over many chunks, whatever the order of additions', () => {
    const shuffled = Array.from({ length: 20_000 }, (_, index) => (index * 7_919) % 20_000)
    const list = new SortedList<number>(byNumber)
    for (const item of shuffled) list.add(item)
    expect(list.chunks.length).toBeGreaterThan(10)
    expect(items(list)).toEqual(shuffled.toSorted(byNumber))
    for (const item of shuffled) if (item % 3 !== 0) expect(list.delete(item)).toBe(true)
    expect(items(list)).toEqual(shuffled.filter((item) => item % 3 === 0).sort(byNumber))
    expect([...list.from(10_000)]).toEqual(items(list).filter((item) => item >= 10_000))
    for (const item of shuffled) list.delete(item)
    expect(list.chunks).toEqual([])
  })

  it('orders texts by UTF-16 code units', () => {
    const list = new SortedList<string>(byCodeUnits)
    for (const text of ['é', 'z', '\u{1f600}', '\uffff', 'Z', 'a', '']) list.add(text)
    expect(items(list)).toEqual(['', 'Z', 'a', 'z', 'é', '\u{1f600}', '\uffff'])
  })
})
