import { describe, expect, it } from 'vitest'
import { type Direction, followOf, search } from '../../src/graph/analysis/search.ts'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import type { GraphProjection } from '../../src/graph/derive/graph-projection.ts'
import { paths } from '../../src/graph/questions/paths.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { type PlainGraph, plainGraph } from './support/plain-graph.ts'

/** So many nodes and edges that searches turn round in the middle. */
function denseGraph(): { graph: GraphProjection; plain: PlainGraph } {
  let state = 1
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
  const detached = new DetachedGraph()
  const records: StoredRecord[] = []
  for (let at = 0; at < 4_000; at += 1) {
    // A third of the services only hang on: they are needed by nobody.
    const dependencies = Array.from({ length: 8 }, () => `s${random(at % 3 === 0 ? 2_600 : 4_000)}`)
    const data = {
      serviceName: `s${at}`,
      dependencies,
      migrationFile: { requires: [`c${random(300)}`], tables: [`t${at % 50}`] },
    }
    const record = {
      kind: 'service',
      id: `r${at}`,
      data: canonicalJson(data),
      revision: at + 1,
      createdAt: 0,
      updatedAt: 0,
    }
    records.push(record)
    detached.put(record)
  }
  return { graph: detached.graph, plain: plainGraph(records) }
}

function plainDistances(plain: PlainGraph, start: string, steps: Iterable<readonly [string, string]>) {
  const next = new Map<string, string[]>()
  for (const [from, to] of steps) next.set(from, [...(next.get(from) ?? []), to])
  const found = new Map([[start, 0]])
  for (const [id, distance] of found)
    for (const other of next.get(id) ?? []) if (!found.has(other)) found.set(other, distance + 1)
  expect(plain.nodes.has(start)).toBe(true)
  return found
}

describe('a search through a dense graph', () => {
  const { graph, plain } = denseGraph()
  const edges = [...plain.edges.values()]

  it.each([
    ['needs', undefined, (edge: (typeof edges)[number]) => [[edge.from, edge.to]]],
    ['neededBy', undefined, (edge: (typeof edges)[number]) => [[edge.to, edge.from]]],
    [
      'both',
      undefined,
      (edge: (typeof edges)[number]) => [
        [edge.from, edge.to],
        [edge.to, edge.from],
      ],
    ],
    ['out', undefined, (edge: (typeof edges)[number]) => [[edge.source, edge.target]]],
    [
      'in',
      ['depends_on', 'owns'],
      (edge: (typeof edges)[number]) => (edge.type === 'requires' ? [] : [[edge.target, edge.source]]),
    ],
    [
      'both',
      ['requires'],
      (edge: (typeof edges)[number]) =>
        edge.type === 'requires'
          ? [
              [edge.from, edge.to],
              [edge.to, edge.from],
            ]
          : [],
    ],
  ] as const)('finds every node at its distance: %s %j', (direction, edgeTypes, stepsOf) => {
    const steps = edges.flatMap((edge) => stepsOf(edge) as [string, string][])
    for (const start of ['service:s0', 'service:s1', 'service:s3999', 'table:t7', 'capability:c3']) {
      const expected = plainDistances(plain, start, steps)
      search(
        graph,
        { sources: [graph.find(start)], follow: followOf(graph, direction as Direction, edgeTypes) },
        ({ order, count, levels, distanceOf }) => {
          expect(count).toBe(expected.size)
          expect(new Set(order.subarray(0, count)).size).toBe(count)
          for (const [id, distance] of expected) expect(distanceOf(graph.find(id))).toBe(distance)
          for (let distance = 0; distance < levels.length - 1; distance += 1)
            for (const node of order.subarray(levels[distance], levels[distance + 1]))
              expect(expected.get(graph.idOf(node))).toBe(distance)
          expect(levels.at(-1)).toBe(count)
        },
      )
    }
  })

  it('paths that are too many are cut by the limit, each of them a path, shortest first', () => {
    const answer = paths(graph, graph.find('service:s1'), graph.find('service:s2'), { limit: 200 })
    expect(answer).toMatchObject({ complete: false, truncated: 'limit' })
    expect(answer.paths.length).toBe(200)
    const steps = new Set(edges.map(({ from, to }) => `${from} ${to}`))
    let before = 0
    for (const { length, nodes } of answer.paths) {
      expect(length).toBeGreaterThanOrEqual(before)
      before = length
      for (let at = 1; at < nodes.length; at += 1) expect(steps).toContain(`${nodes[at - 1]} ${nodes[at]}`)
    }
  })

  it('very long paths are cut by what an answer may hold, and a shortest one is always told', () => {
    const ladder = new DetachedGraph()
    const add = (serviceName: string, dependencies: string[]) =>
      ladder.put({
        kind: 'service',
        id: serviceName,
        data: canonicalJson({ serviceName, dependencies }),
        revision: 1,
        createdAt: 0,
        updatedAt: 0,
      })
    const rungs = 300
    for (let at = 0; at < rungs; at += 1) {
      add(`d${at}`, [`a${at}`, `b${at}`])
      for (const side of ['a', 'b']) add(`${side}${at}`, [`d${at + 1}`])
    }
    for (let at = 0; at < 60_000; at += 1) add(`chain${at}`, [`chain${at + 1}`])
    const ask = (from: string, to: string) =>
      paths(ladder.graph, ladder.graph.find(from), ladder.graph.find(to), { limit: 10_000 })
    const many = ask('service:d0', `service:d${rungs}`)
    expect(many).toMatchObject({ complete: false, truncated: 'size' })
    expect(many.paths.length).toBe(Math.floor(100_000 / (2 * rungs + 1)))
    expect(ask('service:chain0', 'service:chain60000')).toMatchObject({
      complete: true,
      paths: [{ length: 60_000 }],
    })
  })
})
