import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AccessWriter } from '../../../src/archive/archiver/access-writer.ts'
import { readAccess } from '../../../src/archive/format/access-file.ts'
import type { AccessStore } from '../../../src/database/access-store.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { tokenOf } from '../../conformance/build.ts'
import { MemoryDestination } from '../../support/memory-destination.ts'

const { signal } = new AbortController()

/** A store with one token, and an archive for it. */
async function archive() {
  const store = new MemoryStore()
  await store.open()
  await store.access.put(tokenOf('ci'))
  const destination = new MemoryDestination()
  const lineage = randomUUID()
  const writer = (
    clock: () => number,
    { access = store.access, ancestors = [] as readonly string[], of = lineage } = {},
  ) =>
    new AccessWriter(
      {
        ...{ access, destination, recipients: [], clock },
        write: ({ name, content }) => destination.write(name, content),
      },
      { lineage: of, ancestors },
    )
  /** Whether the token is revoked in each file, in order of the times in the names. */
  const revoked = async () => {
    const pages = await Promise.all(
      Array.from(destination.contents, ([name, content]) => readAccess({ name, content })),
    )
    return pages
      .toSorted((left, right) => left.at - right.at)
      .map(({ state }) => state.tokens[0]?.revokedAt !== null)
  }
  const revoke = () => store.access.revoke(tokenOf('ci').id, 'token:admin')
  const version = async () => (await store.access.load()).version
  return { store, lineage, writer, revoked, revoke, version }
}

describe('the tokens in an archive', () => {
  it('of a new history are newer than those of its ancestors, also if the clock went back', async () => {
    const { lineage, writer, revoked, revoke, version } = await archive()
    await writer(() => 1_000).copy(await version(), signal)
    await revoke()
    await writer(() => 500, { of: randomUUID(), ancestors: [lineage] }).copy(await version(), signal)
    expect(await revoked()).toEqual([false, true])
  })

  it('that a coordinator read before it was stopped for a while are older than what came meanwhile', async () => {
    const { store, writer, revoked, revoke, version } = await archive()
    let now = 1_000
    const access: Pick<AccessStore, 'load'> = {
      async load() {
        const state = await store.access.load()
        now = 2_000
        await revoke()
        await writer(() => now).copy(await version(), signal)
        now = 3_000
        return state
      },
    }
    await writer(() => now, { access: access as AccessStore }).copy(await version(), signal)
    expect(await revoked()).toEqual([false, true])
  })
})
