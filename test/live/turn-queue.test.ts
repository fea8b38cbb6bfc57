import { describe, expect, it } from 'vitest'
import { TurnQueue } from '../../src/scheduling/turn-queue.ts'

function takeAll(queue: TurnQueue<string>): string[] {
  const taken: string[] = []
  for (let { next } = queue; next !== undefined; { next } = queue) {
    expect(queue.take()).toBe(next)
    taken.push(next)
  }
  return taken
}

describe('a queue in which owners take turns', () => {
  it('gives each owner one turn after the other, and keeps the order of the items of one owner', () => {
    const queue = new TurnQueue<string>()
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item.charAt(0), item)
    expect([queue.length, queue.lengthOf('a'), queue.lengthOf('nobody')]).toEqual([6, 3, 0])
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    expect([queue.length, queue.lengthOf('a'), queue.take()]).toEqual([0, 0, undefined])
  })

  it('lets who comes last wait for one item of each other owner, however many they have', () => {
    const queue = new TurnQueue<string>()
    for (let at = 0; at < 1_000; at += 1) queue.push('flood', `flood ${at}`)
    for (let at = 0; at < 600; at += 1) queue.take()
    queue.push('late', 'late')
    expect([queue.take(), queue.take()].sort()).toEqual(['flood 600', 'late'])
    expect([...queue]).toHaveLength(399)
    expect(queue.take()).toBe('flood 601')
  })

  it('drops items that are no longer wanted, and goes on with the others', () => {
    const queue = new TurnQueue<string>()
    for (const item of ['a1', 'a2', 'b1', 'b2', 'a3']) queue.push(item.charAt(0), item)
    queue.take()
    queue.retain((item) => item !== 'a2' && !item.startsWith('b'))
    expect([queue.length, queue.lengthOf('a'), queue.lengthOf('b'), [...queue]]).toEqual([1, 1, 0, ['a3']])
    expect(takeAll(queue)).toEqual(['a3'])
  })
})
