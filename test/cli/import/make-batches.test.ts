import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/cli/import/item.ts'
import { makeBatches } from '../../../src/cli/import/make-batches.ts'

async function batchesOf(values: readonly unknown[]) {
  async function* items(): AsyncGenerator<Item> {
    for (const [at, value] of values.entries()) yield { place: `item ${at + 1}`, value }
  }
  return Array.fromAsync(makeBatches(items()))
}
const sizes = async (values: readonly unknown[]) => (await batchesOf(values)).map((batch) => batch.length)

describe('coordinator import: batches', () => {
  it('have at most 500 items, and there is none of nothing', async () => {
    expect(await sizes([])).toEqual([])
    expect(await sizes(Array.from({ length: 500 }, () => ({})))).toEqual([500])
    expect(await sizes(Array.from({ length: 1_001 }, () => ({})))).toEqual([500, 500, 1])
  })

  it('have at most half a MiB, counted in bytes, with a comma each', async () => {
    /** JSON text of so many bytes. */
    const ofBytes = (bytes: number) => ({ t: 'x'.repeat(bytes - '{"t":""}'.length) })
    const half = 256 * 1_024
    expect(await sizes([ofBytes(half - 1), ofBytes(half - 1)])).toEqual([2])
    expect(await sizes([ofBytes(half - 1), ofBytes(half)])).toEqual([1, 1])
    // Two bytes each in UTF-8.
    expect(await sizes([{ t: 'ä'.repeat(half / 2) }, { t: 'ä'.repeat(half / 2) }])).toEqual([1, 1])
  })

  it('send an item alone that is too large for any', async () => {
    const large = { t: 'x'.repeat(600 * 1_024) }
    expect(await sizes([{}, large, {}, {}])).toEqual([1, 1, 2])
  })

  it('have assertions apart from registrations, 32 at most, and none about the same thing twice', async () => {
    const about = (id: string): Item => ({ place: id, about: { kind: 'node', id }, value: {} })
    const service: Item = { place: 's', value: {} }
    async function* items(): AsyncGenerator<Item> {
      yield* [service, service, about('team:a'), about('team:b'), about('team:a'), service]
      for (let at = 0; at < 40; at += 1) yield about(`team:${at}`)
      yield { place: 'e', about: { kind: 'edge', id: 'team:0' }, value: {} }
    }
    expect((await Array.fromAsync(makeBatches(items()))).map((batch) => batch.length)).toEqual([
      2, 2, 1, 1, 32, 9,
    ])
  })
})
