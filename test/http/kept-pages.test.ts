import { describe, expect, it } from 'vitest'
import { KeptPages } from '../../src/http/streams/kept-pages.ts'

const limits = { topic: 'test', maxPages: 3, maxSize: 100 }

/** Counts what was read; a page is as large as its number says. */
function pages() {
  const read: string[] = []
  const kept = new KeptPages<number>(limits, (size) => size)
  const get = (key: string, size: number) =>
    kept.get(key, async () => {
      read.push(key)
      return size
    })
  return { read, kept, get }
}

describe('kept pages', () => {
  it('are read once, while they are not too many', async () => {
    const { read, get } = pages()
    for (const key of ['a', 'b', 'c', 'a', 'b', 'c', 'd', 'a']) await get(key, 10)
    expect(read).toEqual(['a', 'b', 'c', 'd', 'a'])
  })

  it('go when they are too large together, the oldest first', async () => {
    const { read, get } = pages()
    for (const key of ['a', 'b', 'c']) await get(key, 45)
    for (const key of ['c', 'b', 'a']) await get(key, 45)
    expect(read).toEqual(['a', 'b', 'c', 'a'])
  })

  it('are not kept where one is too large alone, but shared by all who ask meanwhile', async () => {
    const { read, get } = pages()
    expect(await Promise.all([get('a', 101), get('a', 101)])).toEqual([101, 101])
    await get('a', 101)
    expect(read).toEqual(['a', 'a'])
  })

  it('are forgotten where reading failed', async () => {
    const { kept, get } = pages()
    await expect(kept.get('a', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
    expect(await get('a', 1)).toBe(1)
  })
})
