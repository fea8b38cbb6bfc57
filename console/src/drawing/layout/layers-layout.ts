import dagre from '@dagrejs/dagre'
import { type Box, GAP, type Layout, type LayoutWanted, type Line, type Point } from './layout.ts'

/** Lays boxes out in layers, from left to right along the lines. Boxes without a line stand in rows below the others. */
export function layersLayout({ boxes, lines }: LayoutWanted): Layout {
  const joined = new Set(lines.flatMap(({ source, target }) => (source === target ? [] : [source, target])))
  const connected = boxes.filter(({ id }) => joined.has(id))
  const alone = boxes.filter(({ id }) => !joined.has(id))
  const layers = inLayers(connected, lines)
  const rows = inRows(alone, Math.max(layers.width, 900), connected.length > 0 ? layers.height : 0)
  const places = new Map([...layers.places, ...rows.places])
  return {
    width: Math.max(layers.width, rows.width),
    height: alone.length > 0 ? rows.bottom : layers.height,
    places,
    routes: layers.routes,
    headings: [],
  }
}

function inLayers(boxes: readonly Box[], lines: readonly Line[]) {
  const places = new Map<string, Point>()
  const routes = new Map<string, readonly Point[]>()
  if (boxes.length === 0) return { width: 0, height: 0, places, routes }
  const graph = new dagre.graphlib.Graph({ multigraph: true })
  const { beside, between, margin } = GAP
  const spaces = { nodesep: beside, ranksep: between, edgesep: 8, marginx: margin, marginy: margin }
  graph.setGraph({ rankdir: 'LR', ...spaces })
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height })
  // A line from a box to itself is drawn as a loop at the box.
  for (const { id, source, target } of lines)
    if (source !== target) graph.setEdge({ v: source, w: target, name: id }, {})
  dagre.layout(graph)
  for (const { id } of boxes) {
    const { x = 0, y = 0 } = graph.node(id) as Partial<Point>
    places.set(id, { x, y })
  }
  for (const edge of graph.edges()) {
    const { points = [] } = graph.edge(edge) as { points?: readonly Point[] }
    routes.set(
      edge.name ?? '',
      points.map(({ x, y }) => ({ x, y })),
    )
  }
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { width, height, places, routes }
}

function inRows(boxes: readonly Box[], wide: number, top: number) {
  const { beside, margin } = GAP
  const places = new Map<string, Point>()
  let [left, y, bottom, width] = [margin, top + margin, top, 0]
  for (const box of boxes) {
    if (left > margin && left + box.width + margin > wide) [left, y] = [margin, bottom + beside]
    places.set(box.id, { x: left + box.width / 2, y: y + box.height / 2 })
    left += box.width + beside
    width = Math.max(width, left - beside + margin)
    bottom = Math.max(bottom, y + box.height)
  }
  return { places, width, bottom: bottom + margin }
}
