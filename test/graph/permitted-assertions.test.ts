import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import type { AssertedWriter } from '../../src/graph/asserted/asserted-writer.ts'
import type { WriteContext } from '../../src/live/writing/write-context.ts'
import { writtenWith } from '../support/written-by.ts'
import { withGraph } from './support/with-graph.ts'

const writes: Readonly<
  Record<string, (asserted: AssertedWriter, context?: WriteContext) => Promise<unknown>>
> = {
  'PUT of a node': (asserted, context) => asserted.put({ kind: 'node', id: 'team:a' }, {}, context),
  'PUT of the node of a service': (asserted, context) =>
    asserted.put({ kind: 'node', id: 'service:cart' }, { label: 'x' }, context),
  'PATCH of a node': (asserted, context) =>
    asserted.patch({ kind: 'node', id: 'team:b' }, { label: 'x' }, context),
  'DELETE of a node': (asserted, context) => asserted.delete({ kind: 'node', id: 'team:b' }, context),
  'PUT of an edge': (asserted, context) =>
    asserted.put({ kind: 'edge', id: 'team:b,owns,service:cart' }, {}, context),
  'PATCH of an edge': (asserted, context) =>
    asserted.patch({ kind: 'edge', id: 'team:b,has,service:cart' }, { properties: { a: 1 } }, context),
  'DELETE of an edge': (asserted, context) =>
    asserted.delete({ kind: 'edge', id: 'team:b,has,service:cart' }, context),
}

const cart = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:7070' }

async function prepare({ graph, registry }: Parameters<Parameters<typeof withGraph>[0]>[0]): Promise<void> {
  await registry.register(cart)
  await graph.asserted.put({ kind: 'node', id: 'team:b' }, {})
  await graph.asserted.put({ kind: 'edge', id: 'team:b,has,service:cart' }, {})
}

describe('an assertion', () => {
  it.each(Object.keys(writes))('takes the scope graph, whatever else the caller may do: %s', (name) =>
    withGraph(async (scope) => {
      await prepare(scope)
      const { asserted } = scope.graph
      const write = writes[name] as (typeof writes)[string]
      const { revision } = scope.live.view
      for (const scopes of [[], ['read'], ['register:cart'], ['register:*/*', 'read', 'metrics']]) {
        await expect(write(asserted, writtenWith(scopes))).rejects.toMatchObject({
          code: 'COORD_SCOPE_MISSING',
          outcome: 'not_written',
          detail: 'This needs the scope `graph`.',
          extra: { scope: 'graph' },
        })
      }
      expect(scope.live.view.revision).toBe(revision)
      await write(asserted, writtenWith(['graph']))
      expect(scope.live.view.revision).toBe(revision + 1)
    }),
  )

  it.each(Object.keys(writes))('takes no credential in a program that uses the library: %s', (name) =>
    withGraph(async (scope) => {
      await prepare(scope)
      await (writes[name] as (typeof writes)[string])(scope.graph.asserted)
      expect(scope.live.view.revision).toBe(4)
    }),
  )

  it('is refused for its scope before its id and its content are judged', () =>
    withGraph(async ({ graph }) => {
      await expect(
        graph.asserted.put({ kind: 'node', id: 'no id' }, 7, writtenWith(['read'])),
      ).rejects.toMatchObject({ code: 'COORD_SCOPE_MISSING' })
    }))

  it('warns readers only about ends that nobody knows', () =>
    withGraph(async ({ graph }) => {
      const about = { kind: 'edge', id: 'team:x,owns,service:y' } as const
      expect((await graph.asserted.put(about, {}, writtenWith(['graph']))).warnings).toEqual([])
      const seeing = await graph.asserted.put(about, {}, writtenWith(['graph', 'read']))
      expect(seeing.warnings.map(({ code }) => code)).toEqual(['unresolved_node', 'unresolved_node'])
    }))

  it('that does not exist is missing, and only readers learn that services derive its node', () =>
    withGraph(async (scope) => {
      await prepare(scope)
      const detailOf = async (id: string, scopes: readonly string[]) => {
        try {
          await scope.graph.asserted.delete({ kind: 'node', id }, writtenWith(scopes))
        } catch (thrown) {
          return (thrown as CoordinatorError).detail.replaceAll(id, 'ID')
        }
        throw new Error('it was deleted')
      }
      expect(await detailOf('service:cart', ['graph'])).toBe(await detailOf('service:none', ['graph']))
      expect(await detailOf('service:cart', ['graph', 'read'])).toContain('because services or edges name it')
    }))

  it('that patches a node learns only with read whether services derive the node', () =>
    withGraph(async (scope) => {
      await prepare(scope)
      const [derived, missing] = ['service:cart', 'service:none']
      const { revision } = scope.live.view
      const patch = (id: string, scopes: readonly string[]) =>
        scope.graph.asserted.patch({ kind: 'node', id }, {}, writtenWith(scopes))
      for (const id of [derived, missing])
        await expect(patch(id, ['graph'])).rejects.toMatchObject({
          ...{ status: 404, outcome: 'not_written', detail: `Nothing is asserted about "${id}".` },
        })
      await expect(patch(missing, ['graph', 'read'])).rejects.toMatchObject({ status: 404 })
      expect(scope.live.view.revision).toBe(revision)
      expect(await patch(derived, ['graph', 'read'])).toMatchObject({ created: true })
      // What is asserted is no secret to those who may assert.
      expect(await patch(derived, ['graph'])).toMatchObject({ created: false })
    }))

  it('belongs to the keys of its principal', () =>
    withGraph(async ({ graph, live }) => {
      const keyed = (name: string) => ({ ...writtenWith(['graph'], name), idempotencyKey: 'k' })
      const put = (id: string, name: string) => graph.asserted.put({ kind: 'node', id }, {}, keyed(name))
      await put('team:a', 'one')
      expect(await put('team:b', 'two')).toMatchObject({ replayed: false, created: true })
      expect(await put('team:a', 'one')).toMatchObject({ replayed: true })
      await expect(put('team:b', 'one')).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_REUSED' })
      expect(live.view.revision).toBe(2)
    }))
})

describe('a simulation', () => {
  it('takes no principal, because it is a question', () =>
    withGraph(async (scope) => {
      await prepare(scope)
      expect(await scope.graph.simulate({ remove: ['cart'] })).toMatchObject({ revision: 3 })
    }))
})
