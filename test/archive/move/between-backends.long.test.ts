import { expect, it } from 'vitest'
import { copyStore } from '../../../src/archive/move/copy-store.ts'
import { cutover } from '../../../src/archive/move/cutover.ts'
import type { Store } from '../../../src/database/store.ts'
import type { ConformanceBackend, Subject } from '../../conformance/backend.ts'
import { backends } from '../../support/backends/index.ts'
import { moving } from './moving.ts'
import { expectSame, fill } from './random-source.ts'

/** Every backend that can be a source or a target, with all of its versions. */
const durable = backends.filter((backend) => backend.durable)

const pairs = durable.flatMap((from) => durable.map((to) => [from, to] as const))

it.each(pairs.map(([from, to]) => [from.name, to.name, from, to] as const))(
  'from %s to %s: the same at every revision from the floor on, before and after the cutover',
  async (_from, _to, from, to) => {
    await using source = await make(from)
    await using target = await make(to)
    await fill(source.store, { count: 30, floor: 12, seed: 3 })
    await copyStore(moving(source.store, target.store))
    await expectSame(source.store, target.store)
    await fill(source.store, { count: 10, floor: 0, seed: 4 })
    await copyStore(moving(source.store, target.store))
    await cutover(moving(source.store, target.store))
    expect((await target.store.head()).mode).toBe('open')
    await expectSame(source.store, target.store)
  },
  120_000,
)

async function make(backend: ConformanceBackend): Promise<AsyncDisposable & { readonly store: Store }> {
  const subject: Subject = await backend.create({ pageSize: 7, firstRevision: 0 })
  await subject.store.open()
  return { store: subject.store, [Symbol.asyncDispose]: () => subject.dispose() }
}
