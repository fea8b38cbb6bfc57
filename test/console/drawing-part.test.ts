import { describe, expect, it } from 'vitest'
import {
  type DrawnEdge,
  type DrawnGraph,
  type DrawnNode,
  joined,
} from '../../console/src/drawing/model/drawn-graph.ts'
import { distancesFrom, neighboursOf } from '../../console/src/drawing/model/neighbours.ts'
import { shownPart } from '../../console/src/drawing/model/shown-part.ts'
import { tonesOf } from '../../console/src/drawing/model/tones.ts'

const wide = { opened: [], follow: 'both', depth: 1, mostNodes: 200, mostEdges: 400 } as const

describe('the part of a graph that is drawn', () => {
  it('follows need and not arrows: what is owned needs its owner', () => {
    const graph = graphOf(['team owns shop', 'web depends_on shop'])
    expect([...distancesFrom(['team'], neighboursOf(graph, 'neededBy'))]).toEqual([
      ['team', 0],
      ['shop', 1],
      ['web', 2],
    ])
    expect([...distancesFrom(['team'], neighboursOf(graph, 'needs'))]).toEqual([['team', 0]])
  })

  it('has the nodes within the depth, and says how many neighbours of each are hidden', () => {
    const graph = graphOf(['a depends_on b', 'b depends_on c', 'b depends_on d', 'd depends_on e'])
    const part = shownPart(graph, { ...wide, from: ['a'] })
    expect(idsOf(part.graph)).toEqual(['a', 'b'])
    expect([...part.hidden]).toEqual([['b', 2]])
    expect([...part.distances]).toEqual([
      ['a', 0],
      ['b', 1],
    ])
  })

  it('has all neighbours of an opened node, whatever the depth and the direction', () => {
    const graph = graphOf(['a depends_on b', 'c depends_on b', 'b depends_on d'])
    const part = shownPart(graph, { ...wide, from: ['a'], follow: 'needs', opened: ['b'] })
    expect(idsOf(part.graph)).toEqual(['a', 'b', 'c', 'd'])
    expect(part.hidden.size).toBe(0)
  })

  it('leaves out the farthest nodes where there would be too many nodes or edges, but never the start', () => {
    const graph = graphOf(Array.from({ length: 30 }, (_, at) => `hub depends_on n${at}`))
    const few = shownPart(graph, { ...wide, from: ['hub'], mostNodes: 11 })
    expect(few.graph.nodes).toHaveLength(11)
    expect(few.hidden.get('hub')).toBe(20)
    const sparse = shownPart(graph, { ...wide, from: ['hub'], mostEdges: 4 })
    expect(sparse.graph.edges).toHaveLength(4)
    expect(sparse.hidden.get('hub')).toBe(26)
    expect(idsOf(shownPart(graph, { ...wide, from: ['hub'], mostEdges: 0 }).graph)).toEqual(['hub'])
  })

  it('ignores starts and opened nodes that the graph does not have', () => {
    const part = shownPart(graphOf(['a depends_on b']), { ...wide, from: ['x'], opened: ['y'] })
    expect(part.graph).toEqual({ nodes: [], edges: [] })
  })

  it('has each node and edge of several graphs once', () => {
    const [one, other] = [graphOf(['a depends_on b']), graphOf(['a depends_on b', 'b depends_on c'])]
    const both = joined([one, other])
    expect(idsOf(both)).toEqual(['a', 'b', 'c'])
    expect(both.edges).toHaveLength(2)
  })
})

describe('colours', () => {
  it('go to the values that most nodes have; the others share a plain one', () => {
    const nodes = Array.from({ length: 12 }, (_, at) => node(`n${at}`, { tags: [`t${Math.max(2, at)}`] }))
    const { of, legend } = tonesOf({ nodes, edges: [] }, 'tag')
    expect(legend[0]).toEqual({ tone: 'c0', word: 't2', count: 3 })
    expect(legend).toHaveLength(9)
    expect(legend.at(-1)).toEqual({ tone: 'plain', word: 'others', count: 2 })
    expect(of(nodes[0] as DrawnNode)).toBe('c0')
  })

  it('show an unresolved node as not registered, whatever its health', () => {
    const { of, legend } = tonesOf(
      { nodes: [node('a', { unresolved: true }), node('b', { health: 'down' })], edges: [] },
      'health',
    )
    expect(of(node('a', { unresolved: true, health: 'up' }))).toBe('missing')
    expect(legend.map(({ word }) => word)).toEqual(['not registered', 'down'])
  })
})

function node(id: string, more: Partial<DrawnNode> = {}): DrawnNode {
  return {
    id,
    label: id,
    type: 'service',
    namespace: 'default',
    unresolved: false,
    versions: [],
    instances: 1,
    tags: [],
    ...more,
  }
}

function graphOf(sentences: readonly string[]): DrawnGraph {
  const edges = sentences.map((sentence): DrawnEdge => {
    const [source = '', type = '', target = ''] = sentence.split(' ')
    return { id: `${sentence},declared`, source, type, target, origin: 'declared' }
  })
  const ids = new Set(edges.flatMap(({ source, target }) => [source, target]))
  return { nodes: [...ids].sort().map((id) => node(id)), edges }
}

function idsOf(graph: DrawnGraph): string[] {
  return graph.nodes.map(({ id }) => id).sort()
}
