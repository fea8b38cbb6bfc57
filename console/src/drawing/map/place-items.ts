import { UndirectedGraph } from 'graphology'
import forceAtlas2 from 'graphology-layout-forceatlas2'
import type { MapGraph, MapPlace } from './map-graph.ts'
import { radiusOf } from './map-graph.ts'

/** The angle between two circles of a spiral that covers a disc evenly. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

/**
 * Places the circles so that joined ones are near each other, by ForceAtlas2. The same map always gets the same places: it begins with a
 * spiral, in which the circles of a group are side by side.
 */
export function placeItems({ items, links }: MapGraph): ReadonlyMap<string, MapPlace> {
  const graph = new UndirectedGraph()
  const sorted = items.toSorted((one, other) => compare(one.group ?? one.id, other.group ?? other.id))
  for (const [at, item] of sorted.entries()) {
    const [radius, angle] = [12 * Math.sqrt(at + 0.5), at * GOLDEN_ANGLE]
    const place = { x: radius * Math.cos(angle), y: radius * Math.sin(angle) }
    graph.addNode(item.id, { ...place, size: radiusOf(item, items.length) })
  }
  for (const { source, target, count } of links) {
    if (source === target || !graph.hasNode(source) || !graph.hasNode(target)) continue
    if (graph.hasEdge(source, target))
      graph.updateEdgeAttribute(source, target, 'weight', (weight) => weight + Math.log2(1 + count))
    else graph.addEdge(source, target, { weight: Math.log2(1 + count) })
  }
  if (items.length > 1)
    forceAtlas2.assign(graph, {
      iterations: items.length > 1_000 ? 60 : items.length > 300 ? 100 : 300,
      settings: {
        ...forceAtlas2.inferSettings(graph),
        barnesHutOptimize: items.length > 500,
        // Circles that nothing joins would fly far away.
        strongGravityMode: true,
        gravity: 0.06,
        scalingRatio: 12,
        edgeWeightInfluence: 0.6,
        adjustSizes: items.length <= 300,
      },
    })
  return new Map(graph.mapNodes((id, { x, y }) => [id, { x: finite(x), y: finite(y) }]))
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function finite(coordinate: unknown): number {
  return typeof coordinate === 'number' && Number.isFinite(coordinate) ? coordinate : 0
}
