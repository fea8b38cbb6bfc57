import { describe, expect, it } from 'vitest'
import { errorOf, someone } from '../registry/with-registry.ts'
import { conditional, etagOf } from '../support/conditional.ts'
import { withTwoCoordinators } from '../support/with-two-coordinators.ts'

describe('a coordinator that is behind, and is asked to change an assertion', () => {
  const node = 'team:t'
  const edge = 'team:t,owns,service:cart'

  it('by a patch, keeps properties that it has not seen', () =>
    withTwoCoordinators(async (first, second) => {
      await first.graph.asserted.put({ kind: 'node', id: node }, { properties: { a: 1 } }, someone)
      await second.live.catchUp()
      await first.graph.asserted.patch({ kind: 'node', id: node }, { properties: { b: 2 } }, someone)
      expect(
        await second.graph.asserted.patch({ kind: 'node', id: node }, { properties: { c: 3 } }, someone),
      ).toMatchObject({
        revision: 3,
        created: false,
      })
      const { data } = second.live.view.get('node', node) ?? {}
      expect(JSON.parse(data as string).properties).toEqual({ a: 1, b: 2, c: 3 })
    }))

  it('by a patch of what it has not seen at all, adds to it', () =>
    withTwoCoordinators(async (first, second) => {
      await first.graph.asserted.put(
        { kind: 'node', id: node },
        { label: 'T', properties: { a: 1 } },
        someone,
      )
      await first.graph.asserted.put({ kind: 'edge', id: edge }, { properties: { a: 1 } }, someone)
      await second.graph.asserted.patch({ kind: 'node', id: node }, { properties: { c: 3 } }, someone)
      await second.graph.asserted.patch({ kind: 'edge', id: edge }, { properties: { c: 3 } }, someone)
      for (const kind of ['node', 'edge'] as const) {
        const [record] = [...second.live.view.records.of(kind)]
        expect(JSON.parse(record?.data as string)).toMatchObject({ properties: { a: 1, c: 3 } })
      }
      expect(JSON.parse(second.live.view.get('node', node)?.data as string).label).toBe('T')
    }))

  it('by a patch of what is gone, or a deletion of what it has not seen, says what is so', () =>
    withTwoCoordinators(async (first, second) => {
      await first.graph.asserted.put({ kind: 'node', id: node }, {}, someone)
      await second.live.catchUp()
      await first.graph.asserted.delete({ kind: 'node', id: node }, someone)
      expect(
        await errorOf(() => second.graph.asserted.patch({ kind: 'node', id: node }, { label: 'x' }, someone)),
      ).toMatchObject({ code: 'COORD_NODE_NOT_FOUND', outcome: 'not_written' })
      await first.graph.asserted.put({ kind: 'node', id: 'team:u' }, {}, someone)
      expect(await second.graph.asserted.delete({ kind: 'node', id: 'team:u' }, someone)).toMatchObject({
        revision: 4,
      })
    }))

  it('under If-Match: *, If-None-Match: * and an ETag, judges by what is stored', () =>
    withTwoCoordinators(async (first, second) => {
      const etag = etagOf(
        await first.graph.asserted.put({ kind: 'node', id: node }, { label: 'one' }, someone),
      )
      const put = (label: string, more: object) =>
        second.graph.asserted.put({ kind: 'node', id: node }, { label }, { ...someone, ...conditional(more) })
      expect(await errorOf(() => put('two', { ifNoneMatch: '*' }))).toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
      })
      expect(await put('three', { ifMatch: etag })).toMatchObject({ revision: 2, created: false })
      await first.graph.asserted.put({ kind: 'node', id: 'team:u' }, {}, someone)
      expect(
        await second.graph.asserted.put(
          { kind: 'node', id: 'team:u' },
          { label: 'u' },
          { ...someone, ...conditional({ ifMatch: '*' }) },
        ),
      ).toMatchObject({ created: false, changed: true })
      expect(
        await errorOf(() =>
          second.graph.asserted.put(
            { kind: 'node', id: 'team:v' },
            {},
            { ...someone, ...conditional({ ifMatch: '*' }) },
          ),
        ),
      ).toMatchObject({ code: 'COORD_PRECONDITION_FAILED' })
    }))
})
