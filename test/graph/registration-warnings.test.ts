import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findPath } from '../../src/graph/analysis/find-path.ts'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { stronglyConnected } from './support/brute-force.ts'
import { plainGraph } from './support/plain-graph.ts'
import { operations, recordOf } from './support/random-records.ts'
import { withGraph } from './support/with-graph.ts'

describe('warnings to a registration', () => {
  it('name what is not registered and the circle that is closed', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['b'] })
      const warnings = graph.registerWarnings({
        serviceName: 'b',
        dependencies: ['nobody', { serviceName: 'a' }, 'b'],
      })
      expect(warnings.map(({ code, path }) => [code, path])).toEqual([
        ['unknown_dependency', '/dependencies/0'],
        ['dependency_cycle', '/dependencies'],
        ['dependency_cycle', '/dependencies'],
      ])
      expect(warnings[0]?.message).toContain('"nobody"')
      expect(warnings[1]?.message).toContain('b -> b')
      expect(warnings[2]?.message).toContain('b -> a -> b')
      expect(graph.registerWarnings({ serviceName: 'z', dependencies: ['a'] })).toEqual([])
    }))

  it('say so where the search for a circle was given up', () => {
    const detached = new DetachedGraph()
    const { graph } = detached
    const add = (serviceName: string, dependencies: string[]) =>
      detached.put({
        kind: 'service',
        id: serviceName,
        data: canonicalJson({ serviceName, dependencies }),
        revision: 1,
        createdAt: 0,
        updatedAt: 0,
      })
    // Two trees that never meet, each larger than the search may look at.
    for (let at = 0; at < 150; at += 1) {
      add(`up${at}`, ['me'])
      add(
        `down${at}`,
        Array.from({ length: 100 }, (_, leaf) => `leaf${at}-${leaf}`),
      )
      for (let leaf = 0; leaf < 100; leaf += 1) add(`upper${at}-${leaf}`, [`up${at}`])
    }
    add(
      'down',
      Array.from({ length: 150 }, (_, at) => `down${at}`),
    )
    const [me, down] = [graph.find('service:me'), graph.find('service:down')]
    expect(findPath(graph, { from: [down], to: me })).toMatchObject({ outcome: 'unknown' })
    expect(findPath(graph, { from: [down], to: me }, 1_000_000)).toMatchObject({ outcome: 'none' })
  })

  it('a way back is found exactly where one is', () => {
    fc.assert(
      fc.property(operations(25), (history) => {
        const detached = new DetachedGraph()
        const { graph } = detached
        const records = new Map<string, StoredRecord>()
        history.forEach(({ of }, at) => {
          const record = recordOf(of, at + 1)
          records.set(`${record.kind} ${record.id}`, record)
          detached.put(record)
        })
        const plain = plainGraph(records.values())
        const groups = stronglyConnected(plain)
        for (const { from, to } of plain.edges.values()) {
          const way = findPath(graph, { from: [graph.find(to)], to: graph.find(from) })
          const together = from === to || groups.some((group) => group.includes(from) && group.includes(to))
          expect(way.outcome).toBe(together ? 'found' : 'none')
          if (way.outcome !== 'found') continue
          expect([way.nodes[0], way.nodes.at(-1)]).toEqual([to, from])
          const steps = new Set([...plain.edges.values()].map((edge) => `${edge.from} ${edge.to}`))
          for (let at = 1; at < way.nodes.length; at += 1)
            expect(steps).toContain(`${way.nodes[at - 1]} ${way.nodes[at]}`)
        }
      }),
      { numRuns: 150 },
    )
  })
})
