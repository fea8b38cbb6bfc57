import { describe, expect, it } from 'vitest'
import { halveBatch, type SendBatch } from '../../src/database/halve-batch.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'

/** Refuses batches with a record `bad`; after each other one something happens to the store. */
async function refusing(after: (store: MemoryStore) => Promise<unknown>) {
  const store = new MemoryStore()
  const { position } = await store.head()
  const send: SendBatch = async (batch) => {
    if (batch.some(({ writes }) => writes[0]?.id === 'bad'))
      throw new CoordinatorError('COORD_COMMIT_REFUSED', { outcome: 'not_written' })
    const reply = await store.commit(position, batch, newCall())
    await after(store)
    return reply
  }
  return { store, send }
}

const fork = async (store: MemoryStore) => store.fork((await store.head()).position)

describe('a batch that is sent in halves', () => {
  it('refuses only the culprit', async () => {
    const { store, send } = await refusing(async () => undefined)
    const reply = await halveBatch([commitOf(put('a')), commitOf(put('bad')), commitOf(put('c'))], send)
    expect(reply).toMatchObject({
      status: 'ok',
      results: [{ revision: 1 }, { outcome: 'refused' }, { revision: 2 }],
      entries: [{ revision: 1 }, { revision: 2 }],
    })
    expect((await store.head()).position.revision).toBe(2)
  })

  it('is not answered off track once a half is stored: that would say that nothing was written', async () => {
    const { store, send } = await refusing(fork)
    await expect(halveBatch([commitOf(put('a')), commitOf(put('bad'))], send)).rejects.toMatchObject({
      retryable: true,
      outcome: 'unknown',
    })
    expect((await store.head()).position.revision).toBe(1)
  })

  it('is answered off track where nothing of it is stored', async () => {
    const { send } = await refusing(fork)
    const conflict = commitOf(put('a', {}, { expect: 7 }))
    expect(await halveBatch([conflict, commitOf(put('bad'))], send)).toMatchObject({ status: 'diverged' })
  })
})
