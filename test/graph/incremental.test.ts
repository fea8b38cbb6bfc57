import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GraphProjection } from '../../src/graph/graph-projection.ts'
import type { JsonObject } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { adjacencyOf, adjacencyOfPlain, plainGraph, shapeOf, shapeOfPlain } from './support/plain-graph.ts'
import { operations, recordOf } from './support/random-records.ts'

function put(graph: GraphProjection, record: StoredRecord): void {
  graph.put(record, JSON.parse(record.data) as JsonObject)
}

describe('the incremental graph', () => {
  it('equals the graph derived anew after every step of any history', () => {
    fc.assert(
      fc.property(operations(40), (history) => {
        const graph = new GraphProjection()
        const records = new Map<string, StoredRecord>()
        history.forEach(({ remove, of }, at) => {
          const record = recordOf(of, at + 1)
          const key = `${record.kind} ${record.id}`
          const before = records.get(key)
          if (!remove) {
            records.set(key, record)
            put(graph, record)
          } else if (before !== undefined) {
            records.delete(key)
            graph.remove(before)
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
        const graph = new GraphProjection()
        const records = new Map<string, StoredRecord>()
        history.forEach(({ of }, at) => {
          const record = recordOf(of, at + 1)
          records.set(`${record.kind} ${record.id}`, record)
          put(graph, record)
        })
        const { nodeSlots } = graph
        for (const record of records.values()) graph.remove(record)
        expect(shapeOf(graph)).toEqual({ nodes: [], edges: [], counts: [0, 0, 0] })
        for (const record of records.values()) put(graph, record)
        expect(graph.nodeSlots).toBeLessThanOrEqual(nodeSlots)
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
          const inOrder = new GraphProjection()
          for (const record of records.values()) put(inOrder, record)
          const shuffled = new GraphProjection()
          const keyed = [...records.values()].map((record) => ({ record, key: random.next().value ?? 0 }))
          for (const { record } of keyed.sort((left, right) => left.key - right.key)) put(shuffled, record)
          expect(shapeOf(shuffled)).toEqual(shapeOf(inOrder))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('a copy stays as it was while the graph goes on', () => {
    const graph = new GraphProjection()
    const first = recordOf(
      { kind: 'service', instance: 1, data: { serviceName: 'a', dependencies: ['b'] } },
      1,
    )
    put(graph, first)
    const copy = graph.copy()
    const before = shapeOf(copy)
    graph.remove(first)
    put(graph, recordOf({ kind: 'service', instance: 2, data: { serviceName: 'z', dependencies: ['y'] } }, 2))
    expect(shapeOf(copy)).toEqual(before)
    expect(copy.find('service:b')).not.toBe(-1)
    expect(copy.servicesOf(copy.find('service:a'))).toEqual([first])
  })
})
