import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { edgeListOf } from '../../src/graph/analysis/csr.ts'
import { GraphAnalysis } from '../../src/graph/analysis/graph-analysis.ts'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import type { GraphProjection } from '../../src/graph/derive/graph-projection.ts'
import { chooseCritical, critical } from '../../src/graph/questions/critical.ts'
import { cycles } from '../../src/graph/questions/cycles.ts'
import { orphans, unresolved } from '../../src/graph/questions/list-nodes.ts'
import { neighbors } from '../../src/graph/questions/neighbors.ts'
import { paths } from '../../src/graph/questions/paths.ts'
import { dependencies, impact } from '../../src/graph/questions/reach.ts'
import { selectGraph } from '../../src/graph/questions/select-graph.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { atOnce } from '../../src/scheduling/pace.ts'
import { cutsOff, distances, simplePaths, stepsFrom, stronglyConnected } from './support/brute-force.ts'
import { type PlainGraph, plainGraph } from './support/plain-graph.ts'
import { operations, recordOf } from './support/random-records.ts'

/** Runs a check on random graphs, as the projection has them and as plain maps. */
function onRandomGraphs(check: (graph: GraphProjection, plain: PlainGraph) => void, size = 25): void {
  fc.assert(
    fc.property(operations(size), (history) => {
      const detached = new DetachedGraph()
      const records = new Map<string, StoredRecord>()
      history.forEach(({ of }, at) => {
        const record = recordOf(of, at + 1)
        records.set(`${record.kind} ${record.id}`, record)
        detached.put(record)
      })
      check(detached.graph, plainGraph(records.values()))
    }),
    { numRuns: 150 },
  )
}

describe('answers on random graphs equal those found by brute force', () => {
  it.each([
    ['impact', impact, 'neededBy'],
    ['dependencies', dependencies, 'needs'],
  ] as const)('%s', (_, question, direction) => {
    onRandomGraphs((graph, plain) => {
      for (const id of plain.nodes.keys()) {
        const answer = question(graph, graph.find(id))
        const expected = distances(plain, id, direction)
        expect(answer).toMatchObject({ of: id, total: expected.size, complete: true })
        expect(new Map(answer.nodes.map((node) => [node.id, node.distance]))).toEqual(expected)
        const order = answer.nodes.map((node) => `${String(node.distance).padStart(3, '0')} ${node.id}`)
        expect(order).toEqual([...order].sort())
        const next = stepsFrom(plain, direction)
        for (const node of answer.nodes) {
          const way = [id, ...node.via, node.id]
          expect(way.length - 1).toBe(node.distance)
          for (let at = 1; at < way.length; at += 1)
            expect(next.get(way[at - 1] as string)).toContain(way[at])
        }
      }
    })
  })

  it('impact with a limit lists the nearest, and says what is missing', () => {
    onRandomGraphs((graph, plain) => {
      for (const id of plain.nodes.keys()) {
        const all = impact(graph, graph.find(id))
        const some = impact(graph, graph.find(id), { limit: 3 })
        expect(some.nodes).toEqual(all.nodes.slice(0, 3))
        expect(some.total).toBe(all.total)
        expect(some.complete).toBe(all.total <= 3)
        expect(some.truncated).toBe(all.total <= 3 ? undefined : 'limit')
        const near = impact(graph, graph.find(id), { depth: 2 })
        expect(near.nodes).toEqual(all.nodes.filter(({ distance }) => distance <= 2))
        expect(near.complete).toBe(true)
      }
    })
  })

  it('paths', () => {
    onRandomGraphs((graph, plain) => {
      const ids = [...plain.nodes.keys()]
      for (const from of ids.slice(0, 4))
        for (const to of ids.slice(0, 6)) {
          const expected = simplePaths(plain, from, to)
          const answer = paths(graph, graph.find(from), graph.find(to), { limit: 1_000 })
          expect(answer.paths.map(({ nodes }) => nodes)).toEqual(expected.slice(0, 1_000))
          expect(answer.complete).toBe(expected.length <= 1_000)
          const two = paths(graph, graph.find(from), graph.find(to), { limit: 2, depth: 3 })
          const short = expected.filter((path) => path.length <= 4)
          expect(two.paths.map(({ nodes }) => nodes)).toEqual(short.slice(0, 2))
          expect(two.complete).toBe(short.length <= 2)
        }
    }, 15)
  })

  it('cycles, each with an example that is one', () => {
    onRandomGraphs((graph, plain) => {
      const answer = atOnce(cycles(graph, new GraphAnalysis(edgeListOf(graph)).components()))
      expect(answer.cycles.map(({ nodes }) => nodes)).toEqual(stronglyConnected(plain))
      const next = stepsFrom(plain, 'needs')
      for (const { nodes, example } of answer.cycles) {
        expect(example[0]).toBe(nodes[0])
        expect(new Set(example).size).toBe(example.length)
        const ways = example.map((id, at) => next.get(id)?.has(example[(at + 1) % example.length] as string))
        expect(ways).not.toContain(false)
        const shortest = [...(next.get(example[0] as string) ?? [])].map((id) =>
          id === example[0]
            ? 1
            : 1 + (distances(plain, id, 'needs').get(example[0] as string) ?? Number.POSITIVE_INFINITY),
        )
        expect(example.length).toBe(Math.min(...shortest))
      }
    })
  })

  it('critical', () => {
    onRandomGraphs((graph, plain) => {
      const analysis = new GraphAnalysis(edgeListOf(graph))
      const figures = analysis.criticality()
      const choice = chooseCritical(graph, figures, { limit: 100 })
      const answer = critical(graph, figures, { choice, dependents: analysis.dependents(choice.needed) })
      expect(new Map(answer.articulationPoints.map((node) => [node.id, node.cutsOff]))).toEqual(
        cutsOff(plain),
      )
      const neededBy = stepsFrom(plain, 'neededBy')
      for (const [id, needing] of neededBy) needing.delete(id)
      const expected = [...neededBy].filter(([, needing]) => needing.size > 0)
      expect(answer.mostDependedOn.length).toBe(expected.length)
      for (const node of answer.mostDependedOn) {
        expect(node.direct).toBe(neededBy.get(node.id)?.size)
        expect(node.dependents).toBe(distances(plain, node.id, 'neededBy').size)
      }
    })
  })

  it('neighbors, along the arrows as they are shown', () => {
    onRandomGraphs((graph, plain) => {
      for (const id of plain.nodes.keys()) {
        const at = graph.find(id)
        const expected = [...plain.edges].filter(([, { source, target }]) => source === id || target === id)
        const answer = atOnce(neighbors(graph, at))
        expect(answer.edges.map((edge) => edge.id).sort()).toEqual(expected.map(([edge]) => edge).sort())
        expect(answer.total).toBe(expected.length)
        const out = atOnce(neighbors(graph, at, { direction: 'out' }))
        expect(out.edges.map((edge) => edge.id).sort()).toEqual(
          expected
            .filter(([, { source }]) => source === id)
            .map(([edge]) => edge)
            .sort(),
        )
        const into = atOnce(neighbors(graph, at, { direction: 'in', edgeTypes: ['depends_on', 'owns'] }))
        expect(into.edges.map((edge) => edge.id).sort()).toEqual(
          expected
            .filter(([, { target, type }]) => target === id && (type === 'depends_on' || type === 'owns'))
            .map(([edge]) => edge)
            .sort(),
        )
      }
    })
  })

  it('subgraph: the surroundings, and every edge inside', () => {
    onRandomGraphs((graph, plain) => {
      for (const id of plain.nodes.keys()) {
        const near = new Set([id])
        for (const { source, target } of plain.edges.values()) {
          if (source === id) near.add(target)
          if (target === id) near.add(source)
        }
        const answer = atOnce(selectGraph(graph, { around: id }, { revision: 1, at: 0 }))
        expect([...answer.nodes].flatMap((node) => node?.id ?? [])).toEqual([...near].sort())
        const inside = [...plain.edges].filter(
          ([, { source, target }]) => near.has(source) && near.has(target),
        )
        const edges = [...answer.edges].flatMap((edge) => edge?.id ?? [])
        expect(edges.sort()).toEqual(inside.map(([edge]) => edge).sort())
      }
    })
  })

  it('unresolved and orphans', () => {
    onRandomGraphs((graph, plain) => {
      const unknown = [...plain.nodes].filter(([, { resolved }]) => !resolved).map(([id]) => id)
      expect(unresolved(graph).nodes.map(({ id }) => id)).toEqual(unknown.sort())
      for (const node of unresolved(graph).nodes) {
        const edges = [...plain.edges.values()].filter(
          ({ source, target }) => source === node.id || target === node.id,
        )
        const selfEdges = edges.filter(({ source, target }) => source === target)
        expect(node.references).toBe(edges.length + selfEdges.length)
      }
      const touched = new Set([...plain.edges.values()].flatMap(({ source, target }) => [source, target]))
      const alone = [...plain.nodes.keys()].filter((id) => !touched.has(id))
      expect(orphans(graph).nodes.map(({ id }) => id)).toEqual(alone.sort())
    })
  })
})
