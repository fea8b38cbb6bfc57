import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import { nodeName } from '../../src/graph/model/node-name.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { writtenBy } from '../support/written-by.ts'
import { adjacencyOf, adjacencyOfPlain, plainGraph, shapeOf, shapeOfPlain } from './support/plain-graph.ts'
import { operations, recordOf } from './support/random-records.ts'
import { withGraph } from './support/with-graph.ts'

describe('the incremental graph', () => {
  it('equals the graph derived anew after every step of any history', () => {
    fc.assert(
      fc.property(operations(40), (history) => {
        const detached = new DetachedGraph()
        const { graph } = detached
        const records = new Map<string, StoredRecord>()
        history.forEach(({ remove, of }, at) => {
          const record = recordOf(of, at + 1)
          const key = `${record.kind} ${record.id}`
          const before = records.get(key)
          if (!remove) {
            records.set(key, record)
            detached.put(record)
          } else if (before !== undefined) {
            records.delete(key)
            detached.remove(before)
          }
          const plain = plainGraph(records.values())
          expect(shapeOf(graph)).toEqual(shapeOfPlain(plain))
          expect(adjacencyOf(graph)).toEqual(adjacencyOfPlain(plain))
        })
        expect(shapeOf(graph.copy())).toEqual(shapeOf(graph))
        const services = [...records.values()].filter(({ kind }) => kind === 'service')
        expect(graph.serviceCount).toBe(services.length)
        expect(graph.activeServiceCount).toBe(
          services.filter(({ data }) => 'migrationFile' in JSON.parse(data)).length,
        )
      }),
      { numRuns: 300 },
    )
  })

  it('is empty again when every record has gone, and keeps no number in use', () => {
    fc.assert(
      fc.property(operations(30), (history) => {
        const detached = new DetachedGraph()
        const { graph } = detached
        const records = new Map<string, StoredRecord>()
        history.forEach(({ of }, at) => {
          const record = recordOf(of, at + 1)
          records.set(`${record.kind} ${record.id}`, record)
          detached.put(record)
        })
        const { nodeBound } = graph
        for (const record of records.values()) detached.remove(record)
        expect(shapeOf(graph)).toEqual({ nodes: [], edges: [], counts: [0, 0, 0] })
        for (const record of records.values()) detached.put(record)
        expect(graph.nodeBound).toBeLessThanOrEqual(nodeBound)
      }),
      { numRuns: 100 },
    )
  })

  it('does not depend on the order in which records are loaded', () => {
    fc.assert(
      fc.property(
        operations(30),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (history, random) => {
          const records = new Map<string, StoredRecord>()
          history.forEach(({ of }, at) => {
            const record = recordOf(of, at + 1)
            records.set(`${record.kind} ${record.id}`, record)
          })
          const inOrder = new DetachedGraph()
          for (const record of records.values()) inOrder.put(record)
          const shuffled = new DetachedGraph()
          const keyed = [...records.values()].map((record) => ({ record, key: random.next().value ?? 0 }))
          for (const { record } of keyed.sort((left, right) => left.key - right.key)) shuffled.put(record)
          expect(shapeOf(shuffled.graph)).toEqual(shapeOf(inOrder.graph))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('names a node alike, whichever of two records about it was loaded first', () => {
    const records = ['one', 'two'].map((label, at): StoredRecord => {
      const data = canonicalJson({ id: 'team:x', label })
      return { kind: 'node', id: `by hand ${label}`, data, revision: at + 1, createdAt: 0, updatedAt: 0 }
    })
    const labels = [records, records.toReversed()].map((loaded) => {
      const detached = new DetachedGraph()
      for (const record of loaded) detached.put(record)
      return nodeName(detached.graph, detached.graph.find('team:x')).label
    })
    expect(labels).toEqual(['two', 'two'])
  })

  it('a copy stays as it was while the graph goes on', () => {
    const detached = new DetachedGraph()
    const { graph } = detached
    const first = recordOf(
      { kind: 'service', instance: 1, data: { serviceName: 'a', dependencies: ['b'] } },
      1,
    )
    detached.put(first)
    const copy = graph.copy()
    const before = shapeOf(copy)
    detached.remove(first)
    detached.put(
      recordOf({ kind: 'service', instance: 2, data: { serviceName: 'z', dependencies: ['y'] } }, 2),
    )
    expect(shapeOf(copy)).toEqual(before)
    expect(copy.find('service:b')).not.toBe(-1)
    expect(copy.servicesOf(copy.find('service:a'))).toEqual([first])
  })

  it('shows what is stored, whatever the sender does with a migration file afterwards', () =>
    withGraph(async ({ graph, registry }) => {
      const migrationFile = { tables: ['carts'] }
      const sent = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:80', migrationFile }
      const answer = registry.register(sent, writtenBy('test'))
      migrationFile.tables.push('orders')
      await answer
      expect(await graph.rebuild()).toMatchObject({ nodes: 2, edges: 1, differencesTotal: 0 })
    }))
})
