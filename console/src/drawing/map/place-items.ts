import iterate, { type ForceAtlasSettings } from 'graphology-layout-forceatlas2/iterate.js'
import type { MapGraph, MapPlace } from './map-graph.ts'
import { radiusOf } from './map-graph.ts'

/**
 * The numbers of a circle, as ForceAtlas2 has them: x, y, two moves with two numbers each, mass, convergence, size, and whether it is fixed.
 * An edge has the places of its ends in that list, and its weight. With the library's own function a graph would have to be made, whose
 * code is three times as large as all of this.
 */
const [NODE_WIDTH, EDGE_WIDTH, MASS] = [10, 3, 6]

/** The angle between two circles of a spiral that covers a disc evenly. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

/**
 * Places the circles so that joined ones are near each other, by ForceAtlas2. The same map always gets the same places: it begins with a
 * spiral, in which the circles of a group are side by side.
 */
export function placeItems({ items, links }: MapGraph): ReadonlyMap<string, MapPlace> {
  const sorted = items.toSorted((one, other) => compare(one.group ?? one.id, other.group ?? other.id))
  const nodes = new Float32Array(sorted.length * NODE_WIDTH)
  const numbers = new Map<string, number>()
  for (const [at, item] of sorted.entries()) {
    const [radius, angle] = [12 * Math.sqrt(at + 0.5), at * GOLDEN_ANGLE]
    const size = radiusOf(item, items.length)
    nodes.set(
      [radius * Math.cos(angle), radius * Math.sin(angle), 0, 0, 0, 0, 1, 1, size, 0],
      at * NODE_WIDTH,
    )
    numbers.set(item.id, at * NODE_WIDTH)
  }
  const edges = edgesOf(links, { numbers, nodes })
  const settings = settingsFor(items.length)
  const iterations = items.length > 1_000 ? 60 : items.length > 300 ? 100 : 300
  if (items.length > 1) for (let done = 0; done < iterations; done += 1) iterate(settings, nodes, edges)
  return new Map(
    sorted.map(({ id }, at) => {
      const [x, y] = nodes.subarray(at * NODE_WIDTH)
      return [id, { x: finite(x), y: finite(y) }]
    }),
  )
}

/** The joined circles, each pair once, with the weight of all of its links. A circle has the weight of its links as its mass. */
function edgesOf(
  links: MapGraph['links'],
  { numbers, nodes }: { readonly numbers: ReadonlyMap<string, number>; readonly nodes: Float32Array },
): Float32Array {
  const weights = new Map<string, { readonly ends: readonly [number, number]; weight: number }>()
  for (const { source, target, count } of links) {
    const [one, other] = [numbers.get(source), numbers.get(target)]
    if (one === undefined || other === undefined || one === other) continue
    const key = one < other ? `${one} ${other}` : `${other} ${one}`
    const pair = weights.get(key) ?? { ends: [one, other], weight: 0 }
    pair.weight += Math.log2(1 + count)
    weights.set(key, pair)
  }
  const edges = new Float32Array(weights.size * EDGE_WIDTH)
  for (const [at, { ends, weight }] of [...weights.values()].entries()) {
    edges.set([...ends, weight], at * EDGE_WIDTH)
    for (const end of ends) nodes[end + MASS] = (nodes[end + MASS] as number) + weight
  }
  return edges
}

function settingsFor(count: number): ForceAtlasSettings {
  return {
    barnesHutOptimize: count > 500,
    barnesHutTheta: 0.5,
    // Circles that nothing joins would fly far away.
    strongGravityMode: true,
    gravity: 0.06,
    scalingRatio: 12,
    slowDown: 1 + Math.log(Math.max(1, count)),
    edgeWeightInfluence: 0.6,
    adjustSizes: count <= 300,
    linLogMode: false,
    outboundAttractionDistribution: false,
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function finite(coordinate: unknown): number {
  return typeof coordinate === 'number' && Number.isFinite(coordinate) ? coordinate : 0
}
