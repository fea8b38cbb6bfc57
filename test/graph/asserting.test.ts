import { describe, expect, it } from 'vitest'
import { AssertedWriter } from '../../src/graph/asserted/asserted-writer.ts'
import type { CanonicalJson } from '../../src/records/canonical-json.ts'
import { conditional, etagOf } from '../support/conditional.ts'
import { wholeDomain } from '../support/whole-domain.ts'
import { withLive } from '../support/with-live.ts'
import { writtenBy } from '../support/written-by.ts'
import { put, withGraph } from './support/with-graph.ts'

const context = writtenBy('test')

describe('asserting', () => {
  it('adds properties to a derived node, and taking them back leaves the node', () =>
    withGraph(async ({ graph, register }) => {
      await register('cart')
      const put = await graph.asserted.put(
        { kind: 'node', id: 'service:cart' },
        { label: 'The cart', properties: { tier: 1 } },
        context,
      )
      expect(put).toMatchObject({ id: 'service:cart', created: true, changed: true, warnings: [] })
      expect(await graph.ask({ ask: 'node', id: 'cart' })).toMatchObject({
        node: { label: 'The cart', data: { serviceName: 'cart', properties: { tier: 1 } } },
      })
      const patched = await graph.asserted.patch(
        { kind: 'node', id: 'service:cart' },
        { label: null, properties: { owner: 'x' } },
        context,
      )
      expect(patched).toMatchObject({ created: false, changed: true })
      expect(await graph.ask({ ask: 'node', id: 'cart' })).toMatchObject({
        node: { label: 'cart', data: { properties: { tier: 1, owner: 'x' } } },
      })
      await graph.asserted.delete({ kind: 'node', id: 'service:cart' }, context)
      const { node } = await graph.ask({ ask: 'node', id: 'cart' })
      expect(node.data).not.toHaveProperty('properties')
      await expect(
        graph.asserted.delete({ kind: 'node', id: 'service:cart' }, context),
      ).rejects.toMatchObject({
        code: 'COORD_NODE_NOT_FOUND',
        detail: expect.stringContaining('services or edges name it'),
      })
    }))

  it('edges may dangle: their ends are unresolved, and go with them', () =>
    withGraph(async ({ graph }) => {
      const { id, warnings } = await graph.asserted.put(
        { kind: 'edge', id: 'team:a,owns,service:b c' },
        { properties: { since: 2020 } },
        context,
      )
      expect(id).toBe('team:a,owns,service:b%20c,asserted')
      expect(warnings.map(({ code, message }) => [code, message.slice(0, 58)])).toEqual([
        ['unresolved_node', 'Nobody has registered or asserted "team:a": check the id, '],
        ['unresolved_node', 'Nobody has registered or asserted "service:b%20c": check th'.slice(0, 58)],
      ])
      const { edge } = await graph.ask({ ask: 'edge', id })
      expect(edge).toMatchObject({
        source: 'team:a',
        target: 'service:b%20c',
        type: 'owns',
        origin: 'asserted',
        data: { properties: { since: 2020 } },
      })
      const open = await graph.ask({ ask: 'unresolved' })
      expect(open.nodes.map((node) => [node.id, node.referencedBy])).toEqual([
        ['service:b%20c', ['team:a']],
        ['team:a', ['service:b%20c']],
      ])
      await graph.asserted.delete({ kind: 'edge', id }, context)
      expect((await graph.ask({ ask: 'unresolved' })).total).toBe(0)
      await expect(graph.ask({ ask: 'node', id: 'team:a' })).rejects.toMatchObject({
        code: 'COORD_NODE_NOT_FOUND',
      })
    }))

  it('an edge is found without its origin, the asserted one first', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['b'] })
      const originOf = async (id: string) => (await graph.ask({ ask: 'edge', id })).edge.origin
      const id = 'service:a,depends_on,service:b'
      expect(await originOf(id)).toBe('declared')
      await graph.asserted.put({ kind: 'edge', id: `${id},observed` }, {}, context)
      expect(await originOf(id)).toBe('declared')
      await graph.asserted.put({ kind: 'edge', id }, {}, context)
      expect(await originOf(id)).toBe('asserted')
      expect(await originOf(`${id},observed`)).toBe('observed')
      await expect(originOf('service:a,calls,service:b')).rejects.toMatchObject({
        code: 'COORD_EDGE_NOT_FOUND',
      })
    }))

  it('has the preconditions of services, and repeats by key', () =>
    withGraph(async ({ graph }) => {
      const first = await graph.asserted.put(
        { kind: 'node', id: 'team:a' },
        { properties: { n: 1 } },
        { ...context, ...conditional({ ifNoneMatch: '*' }) },
      )
      await expect(
        graph.asserted.put(
          { kind: 'node', id: 'team:a' },
          {},
          { ...context, ...conditional({ ifNoneMatch: '*' }) },
        ),
      ).rejects.toMatchObject({ code: 'COORD_PRECONDITION_FAILED' })
      const same = await graph.asserted.put({ kind: 'node', id: 'team:a' }, { properties: { n: 1 } }, context)
      expect({ ...same, etag: etagOf(same) }).toMatchObject({
        changed: false,
        revision: first.revision,
        etag: etagOf(first),
      })
      const second = await graph.asserted.put(
        { kind: 'node', id: 'team:a' },
        { properties: { n: 2 } },
        { ...context, ...conditional({ ifMatch: etagOf(first) }), idempotencyKey: 'k' },
      )
      const again = await graph.asserted.put(
        { kind: 'node', id: 'team:a' },
        { properties: { n: 2 } },
        { ...context, ...conditional({ ifMatch: etagOf(first) }), idempotencyKey: 'k' },
      )
      expect(again).toMatchObject({ revision: second.revision, replayed: true })
      await expect(
        graph.asserted.put(
          { kind: 'node', id: 'team:a' },
          { properties: { n: 3 } },
          { ...context, idempotencyKey: 'k' },
        ),
      ).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_REUSED' })
      await expect(
        graph.asserted.delete(
          { kind: 'node', id: 'team:a' },
          { ...context, ...conditional({ ifMatch: etagOf(first) }) },
        ),
      ).rejects.toMatchObject({ code: 'COORD_PRECONDITION_FAILED' })
      await expect(
        graph.asserted.put(
          { kind: 'node', id: 'team:b' },
          {},
          { ...context, ...conditional({ ifMatch: '*' }) },
        ),
      ).rejects.toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
      })
      await graph.asserted.delete(
        { kind: 'node', id: 'team:a' },
        { ...context, ...conditional({ ifMatch: etagOf(second) }) },
      )
    }))

  it('a body may repeat what the id says, and is told where it says something else', () =>
    withGraph(async ({ graph }) => {
      const codes = async (body: object) => {
        const { warnings } = await graph.asserted.put({ kind: 'node', id: 'team:a' }, body, context)
        return warnings.map(({ code, path }) => [code, path])
      }
      expect(await codes({ id: 'team:a', type: 'team', label: 'A' })).toEqual([])
      expect(await codes({ id: 'team:b', labels: 'A' })).toEqual([
        ['ignored_field', '/id'],
        ['unknown_field', '/labels'],
      ])
      const edge = { source: 'team:a', type: 'owns', target: 'team:a', origin: 'asserted' }
      expect(
        (await graph.asserted.put({ kind: 'edge', id: 'team:a,owns,team:a' }, edge, context)).warnings,
      ).toEqual([])
      expect(
        (
          await graph.asserted.put(
            { kind: 'edge', id: 'team:a,owns,team:a' },
            { ...edge, target: 'team:c' },
            context,
          )
        ).warnings,
      ).toMatchObject([{ code: 'ignored_field', path: '/target' }])
      await expect(
        graph.asserted.put({ kind: 'node', id: 'team:a' }, { label: '' }, context),
      ).rejects.toMatchObject({
        detail: '/label is empty.',
      })
    }))

  it('mends what a person made unfit to be served, by PUT, by PATCH, and under preconditions', () =>
    withGraph(async ({ graph, live, commit, register }) => {
      await register('a')
      const { asserted } = graph
      const spoil = () => commit(put('node', 'service:a', { id: 7 }))
      const change = { properties: { tier: 1 } }
      await spoil()
      expect(await asserted.patch({ kind: 'node', id: 'service:a' }, change, context)).toMatchObject({
        created: false,
      })
      await spoil()
      expect(await asserted.put({ kind: 'node', id: 'service:a' }, change, context)).toMatchObject({
        created: false,
      })
      await spoil()
      const ifMatch = { ...context, ...conditional({ ifMatch: '*' }) }
      expect(await asserted.put({ kind: 'node', id: 'service:a' }, change, ifMatch)).toMatchObject({
        created: false,
      })
      await spoil()
      expect(await asserted.delete({ kind: 'node', id: 'service:a' }, ifMatch)).toMatchObject({
        id: 'service:a',
      })
      expect([live.view.refusedCount, live.view.records.count('node')]).toEqual([0, 0])
    }))

  it('tells the history of what a fault made unreadable', () =>
    withGraph(async ({ graph, commit }) => {
      await graph.asserted.put({ kind: 'node', id: 'team:a' }, { label: 'A' }, context)
      for (const text of ['{"label":', '{"label":7,"properties":[]}'])
        await commit({ op: 'put', kind: 'node', id: 'team:a', data: text as CanonicalJson })
      const { entries } = await graph.history({ kind: 'node', id: 'team:a' })
      expect(entries.map(({ action, label, properties }) => [action, label, properties])).toEqual([
        ['changed', undefined, undefined],
        ['changed', undefined, undefined],
        ['asserted', 'A', undefined],
      ])
    }))

  it('a patch asks the store where the view has nothing to patch: it may be behind, or the patch stored before', () =>
    withLive(
      async (one) => {
        const two = await one.another({ options: { pollMinMs: 60_000, pollMaxMs: 60_000 } })
        const [here, there] = [new AssertedWriter(one.live), new AssertedWriter(two.live)]
        await here.put({ kind: 'node', id: 'team:a' }, { properties: { x: 1 } }, context)
        const keyed = { ...context, idempotencyKey: 'k' }
        const patched = await there.patch({ kind: 'node', id: 'team:a' }, { properties: { y: 2 } }, keyed)
        expect(patched).toMatchObject({ created: false, changed: true, revision: 2 })
        expect(JSON.parse(two.live.view.get('node', 'team:a')?.data as string)).toMatchObject({
          properties: { x: 1, y: 2 },
        })
        await there.delete({ kind: 'node', id: 'team:a' }, context)
        const again = await there.patch({ kind: 'node', id: 'team:a' }, { properties: { y: 2 } }, keyed)
        expect(again).toMatchObject({ created: false, replayed: true, revision: 2 })
        await expect(there.patch({ kind: 'node', id: 'team:a' }, {}, context)).rejects.toMatchObject({
          code: 'COORD_NODE_NOT_FOUND',
        })
        expect(two.live.view.get('node', 'team:a')).toBeUndefined()
      },
      { domain: wholeDomain },
    ))

  it('fifty patches at once all arrive', () =>
    withGraph(async ({ graph }) => {
      await graph.asserted.put({ kind: 'node', id: 'team:a' }, {}, context)
      const keys = Array.from({ length: 50 }, (_, at) => `k${at}`)
      await Promise.all(
        keys.map((key) =>
          graph.asserted.patch({ kind: 'node', id: 'team:a' }, { properties: { [key]: true } }, context),
        ),
      )
      const { node } = await graph.ask({ ask: 'node', id: 'team:a' })
      expect(Object.keys(node.data['properties'] as object).sort()).toEqual(keys.sort())
    }))

  it.each([
    ['put node', 'no-type', {}, 'COORD_NODE_ID_INVALID'],
    ['put node', 'team:', {}, 'COORD_NODE_ID_INVALID'],
    ['put node', '9x:a', {}, 'COORD_NODE_ID_INVALID'],
    ['put node', `team:${'x'.repeat(5_000)}`, {}, 'COORD_NODE_ID_INVALID'],
    ['put node', 'team:\ud800', {}, 'COORD_NODE_ID_INVALID'],
    ['put node', 'team:a', { properties: 3 }, 'COORD_BODY_WRONG_TYPE'],
    ['put node', 'team:a', [], 'COORD_BODY_WRONG_TYPE'],
    ['put node', 'team:a', { properties: { x: 'y'.repeat(20_000) } }, 'COORD_FIELD_TOO_LARGE'],
    ['put node', 'team:a', { properties: { x: '\0' } }, 'COORD_TEXT_NUL'],
    ['put node', 'team:a', { label: 'y'.repeat(300) }, 'COORD_FIELD_TOO_LARGE'],
    ['put edge', 'team:a', {}, 'COORD_EDGE_ID_INVALID'],
    ['put edge', 'team:a,owns', {}, 'COORD_EDGE_ID_INVALID'],
    ['put edge', 'team:a,ow ns,team:b', {}, 'COORD_EDGE_ID_INVALID'],
    ['put edge', 'team:a,owns,team:b,guessed', {}, 'COORD_EDGE_ID_INVALID'],
    ['put edge', 'service:a,depends_on,service:b,declared', {}, 'COORD_EDGE_DERIVED'],
    ['patch node', 'team:nobody', {}, 'COORD_NODE_NOT_FOUND'],
    ['patch edge', 'team:a,owns,team:b', {}, 'COORD_EDGE_NOT_FOUND'],
    ['patch node', 'service:x', { properties: null, label: 7 }, 'COORD_BODY_WRONG_TYPE'],
  ] as const)('%s of %j with %j is refused: %s %s', (operation, id, body, code) =>
    withGraph(async ({ graph, live, register }) => {
      await register('x')
      const { revision } = live.view
      const [method, kind] = operation.split(' ') as ['put' | 'patch', 'node' | 'edge']
      await expect(graph.asserted[method]({ kind, id }, body, context)).rejects.toMatchObject({ code })
      expect(live.view.revision).toBe(revision)
    }),
  )

  it('a self edge is an edge like others, and a cycle of one', () =>
    withGraph(async ({ graph }) => {
      await graph.asserted.put({ kind: 'edge', id: 'queue:q,feeds,queue:q' }, {}, context)
      expect(await graph.ask({ ask: 'cycles' })).toMatchObject({
        total: 1,
        cycles: [{ size: 1, example: ['queue:q'] }],
      })
      expect((await graph.ask({ ask: 'neighbors', of: 'queue:q' })).edges.length).toBe(1)
      expect((await graph.ask({ ask: 'impact', of: 'queue:q' })).total).toBe(0)
    }))
})
