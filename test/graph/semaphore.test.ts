import { describe, expect, it } from 'vitest'
import { Semaphore } from '../../src/scheduling/semaphore.ts'

/** Work that ends when it is told to, and says when it begins. */
function work(began: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<string>()
  const run = () => {
    began.push(name)
    return promise
  }
  return { run, end: () => resolve(name) }
}

const busy = { code: 'COORD_GRAPH_BUSY', retryAfterSeconds: 2 }

describe('a semaphore', () => {
  it('lets so much go on at once, and the rest in the order in which it came', async () => {
    const semaphore = new Semaphore({ max: 2, maxWaiting: 10 })
    const began: string[] = []
    const works = ['a', 'b', 'c', 'd'].map((name) => work(began, name))
    const ends = works.map(({ run }) => semaphore.run(run))
    expect(began).toEqual(['a', 'b'])
    works[1]?.end()
    await ends[1]
    expect(began).toEqual(['a', 'b', 'c'])
    for (const { end } of works) end()
    expect(await Promise.all(ends)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('refuses what comes when too much waits, and takes work again afterwards', async () => {
    const semaphore = new Semaphore({ max: 1, maxWaiting: 1 })
    const [first, second] = [work([], 'first'), work([], 'second')]
    const ends = [semaphore.run(first.run), semaphore.run(second.run)]
    await expect(semaphore.run(async () => 'third')).rejects.toMatchObject(busy)
    first.end()
    second.end()
    expect(await Promise.all(ends)).toEqual(['first', 'second'])
    expect(await semaphore.run(async () => 'third')).toBe('third')
  })

  it('gives the place up of who went away, and of nobody else', async () => {
    const semaphore = new Semaphore({ max: 1, maxWaiting: 2 })
    const began: string[] = []
    const [first, second, third] = ['first', 'second', 'third'].map((name) => work(began, name)) as [
      ReturnType<typeof work>,
      ReturnType<typeof work>,
      ReturnType<typeof work>,
    ]
    const gone = new AbortController()
    const going = semaphore.run(first.run, { signal: gone.signal })
    const waiting = semaphore.run(second.run, { signal: gone.signal })
    gone.abort()
    await expect(waiting).rejects.toMatchObject(busy)
    await expect(semaphore.run(second.run, { signal: gone.signal })).rejects.toMatchObject(busy)
    const last = semaphore.run(third.run)
    first.end()
    third.end()
    // What goes on already is ended.
    expect(await Promise.all([going, last])).toEqual(['first', 'third'])
    expect(began).toEqual(['first', 'third'])
  })

  it('goes on where work fails', async () => {
    const semaphore = new Semaphore({ max: 1, maxWaiting: 1 })
    const failing = semaphore.run(() => Promise.reject(new Error('no')))
    expect(await semaphore.run(async () => 'next')).toBe('next')
    await expect(failing).rejects.toThrow('no')
  })

  it('lets clients take turns, and one of them wait in half of the places', async () => {
    const semaphore = new Semaphore({ max: 1, maxWaiting: 8 })
    const order: string[] = []
    const first = work([], 'first')
    const ends = [semaphore.run(first.run)]
    for (const client of ['a', 'a', 'a', 'a', 'b', 'c'])
      ends.push(
        semaphore.run(
          async () => {
            order.push(client)
            return client
          },
          { client },
        ),
      )
    await expect(semaphore.run(async () => 'a', { client: 'a' })).rejects.toMatchObject(busy)
    first.end()
    await Promise.all(ends)
    expect(order).toEqual(['a', 'b', 'c', 'a', 'a', 'a'])
  })

  it('gives one client half of the places, and the others to whoever comes', async () => {
    const semaphore = new Semaphore({ max: 4, maxWaiting: 8 })
    const began: string[] = []
    const works = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => work(began, name))
    const ends = works.map(({ run }, at) => semaphore.run(run, { client: at < 4 ? 'a' : at < 6 ? 'b' : 'c' }))
    expect(began).toEqual(['a1', 'a2', 'b1', 'b2'])
    // Only two of `a` run at the same time, although one place is free now.
    works[4]?.end()
    await ends[4]
    expect(began.at(-1)).toBe('c1')
    works[5]?.end()
    works[6]?.end()
    await Promise.all([ends[5], ends[6]])
    expect([began.length, semaphore.figures]).toEqual([5, { inside: 2, waiting: 2, max: 4 }])
    works[0]?.end()
    await ends[0]
    expect(began.at(-1)).toBe('a3')
    for (const { end } of works) end()
    await Promise.all(ends)
    expect(semaphore.figures).toEqual({ inside: 0, waiting: 0, max: 4 })
  })
})
