import { describe, expect, it } from 'vitest'
import { AssertedWriter } from '../../src/graph/asserted/asserted-writer.ts'
import { Registry } from '../../src/registry/registry.ts'
import { conditional } from '../support/conditional.ts'
import { wholeDomain } from '../support/whole-domain.ts'
import { type LiveScope, withLive } from '../support/with-live.ts'
import { writtenBy } from '../support/written-by.ts'

const context = writtenBy('test')
const owns = 'team:a,owns,service:cart'

interface Two {
  readonly here: AssertedWriter
  /** At a coordinator that hears of the other one's commits only when it asks. */
  readonly there: AssertedWriter
  readonly one: LiveScope
  readonly two: LiveScope
}

async function withTwo(body: (scope: Two) => Promise<void>): Promise<void> {
  await withLive(
    async (one) => {
      const two = await one.another({ options: { pollMinMs: 60_000, pollMaxMs: 60_000 } })
      const [here, there] = [new AssertedWriter(one.live), new AssertedWriter(two.live)]
      await body({ here, there, one, two })
    },
    { domain: wholeDomain, options: { commitTimeoutMs: 10_000, revisionTimeoutMs: 5_000 } },
  )
}

function propertiesOf({ live }: LiveScope, kind: string, id: string): unknown {
  const record = live.view.get(kind, id)
  return record === undefined ? undefined : JSON.parse(record.data).properties
}

describe('what is asserted at a coordinator that is behind', () => {
  it.each([
    ['node', 'team:a'],
    ['edge', owns],
  ] as const)('a patch of a %s wipes out no property that it has not seen', (kind, id) =>
    withTwo(async ({ here, there, one, two }) => {
      await here.put({ kind, id }, { properties: { x: 1 } }, context)
      await two.live.catchUp()
      await here.patch({ kind, id }, { properties: { y: 2 } }, context)
      expect(await there.patch({ kind, id }, { properties: { z: 3 } }, context)).toMatchObject({
        revision: 3,
      })
      const [record] = two.live.view.records.of(kind)
      expect(propertiesOf(two, kind, record?.id as string)).toEqual({ x: 1, y: 2, z: 3 })
      await one.live.catchUp()
      expect(propertiesOf(one, kind, record?.id as string)).toEqual({ x: 1, y: 2, z: 3 })
    }),
  )

  it.each([
    ['node', 'team:a'],
    ['edge', owns],
  ] as const)('a patch with If-None-Match: * of a %s that is gone brings nothing of it back', (kind, id) =>
    withTwo(async ({ here, there, two }) => {
      await here.put({ kind, id }, { properties: { x: 1 } }, context)
      await two.live.catchUp()
      await here.delete({ kind, id }, context)
      const patched = there.patch(
        { kind, id },
        { properties: { y: 2 } },
        { ...context, ...conditional({ ifNoneMatch: '*' }) },
      )
      await expect(patched).rejects.toMatchObject({ status: 404, outcome: 'not_written' })
      expect(two.live.view.revision).toBe(2)
    }),
  )

  it('a patch of a node that nobody names any more is refused', () =>
    withTwo(async ({ there, one, two }) => {
      const registry = new Registry(one.live)
      const cart = { serviceName: 'cart', version: '1', endpoint: 'http://cart' }
      const { serviceId } = await registry.register(cart, context)
      await two.live.catchUp()
      expect(
        await there.patch({ kind: 'node', id: 'service:cart' }, { properties: { y: 1 } }, context),
      ).toMatchObject({
        created: true,
      })
      await there.delete({ kind: 'node', id: 'service:cart' }, context)
      await registry.deregister(serviceId, context)
      await expect(there.patch({ kind: 'node', id: 'service:cart' }, {}, context)).rejects.toMatchObject({
        code: 'COORD_NODE_NOT_FOUND',
      })
    }))

  it.each([
    ['put', { ifNoneMatch: '*' }, { created: true, revision: 3 }],
    ['put', {}, { created: true, revision: 3 }],
    ['put', { ifMatch: '*' }, 412],
    ['delete', { ifNoneMatch: '*' }, 404],
    ['delete', { ifMatch: '*' }, 412],
    ['delete', {}, 404],
  ] as const)('%s of a node that is gone, with %j: %j', (what, conditions, outcome) =>
    withTwo(async ({ here, there, two }) => {
      await here.put({ kind: 'node', id: 'team:a' }, { properties: { x: 1 } }, context)
      await two.live.catchUp()
      await here.delete({ kind: 'node', id: 'team:a' }, context)
      const writing =
        what === 'put'
          ? there.put(
              { kind: 'node', id: 'team:a' },
              { label: 'A' },
              { ...context, ...conditional(conditions) },
            )
          : there.delete({ kind: 'node', id: 'team:a' }, { ...context, ...conditional(conditions) })
      if (typeof outcome === 'number') await expect(writing).rejects.toMatchObject({ status: outcome })
      else expect(await writing).toMatchObject(outcome)
      expect(propertiesOf(two, 'node', 'team:a')).toBeUndefined()
    }),
  )

  it('a delete with If-None-Match: * of a node that is there keeps it', () =>
    withTwo(async ({ here, there, two }) => {
      await here.put({ kind: 'node', id: 'team:a' }, {}, context)
      const deleted = there.delete(
        { kind: 'node', id: 'team:a' },
        { ...context, ...conditional({ ifNoneMatch: '*' }) },
      )
      await expect(deleted).rejects.toMatchObject({ status: 412, extra: { expected: 0, actual: 1 } })
      expect(two.live.view.get('node', 'team:a')?.revision).toBe(1)
    }))

  it('a request that is repeated is answered as it was, and shows what was stored then', () =>
    withTwo(async ({ here, there, two }) => {
      const keyed = { ...context, idempotencyKey: 'k' }
      await here.put({ kind: 'node', id: 'team:a' }, { properties: { x: 1 } }, context)
      const first = await here.patch({ kind: 'node', id: 'team:a' }, { properties: { y: 2 } }, keyed)
      expect(await there.patch({ kind: 'node', id: 'team:a' }, { properties: { y: 2 } }, keyed)).toEqual({
        ...first,
        replayed: true,
      })
      expect(propertiesOf(two, 'node', 'team:a')).toEqual({ x: 1, y: 2 })
      await here.delete({ kind: 'node', id: 'team:a' }, context)
      expect(await there.patch({ kind: 'node', id: 'team:a' }, { properties: { y: 2 } }, keyed)).toEqual({
        ...first,
        replayed: true,
      })
    }))
})
