import { MultiDirectedGraph } from 'graphology'
import Sigma from 'sigma'
import { fittingText } from '../text/shown-text.ts'
import { mapColours } from './map-colours.ts'
import { type MapGraph, type MapPlace, radiusOf, widthOf } from './map-graph.ts'
import { drawHover, drawLabel } from './map-labels.ts'

export interface MapEvents {
  readonly onPick: (id: string) => void
  readonly onPickNothing: () => void
}

/** In multiples of the size of the font: longer names would cover their neighbours. */
const LONGEST_LABEL = 18

/** A map on a canvas of WebGL. Call `end` when it is no longer shown: browsers allow sixteen such canvases. */
export class SigmaMap {
  readonly #sigma: Sigma
  readonly #graph: MultiDirectedGraph
  #near: string | undefined
  #selected: string | undefined

  /** @throws if the browser has no WebGL 2 */
  constructor(place: HTMLElement, map: MapGraph, places: ReadonlyMap<string, MapPlace>, events: MapEvents) {
    const colours = mapColours()
    const graph = new MultiDirectedGraph()
    const { length } = map.items
    for (const item of map.items) {
      const { x = 0, y = 0 } = places.get(item.id) ?? {}
      graph.addNode(item.id, {
        x,
        y,
        label: fittingText(item.label, LONGEST_LABEL),
        size: radiusOf(item, length),
        color: colours.tone(item.tone),
      })
    }
    for (const link of map.links)
      if (graph.hasNode(link.source) && graph.hasNode(link.target))
        graph.addDirectedEdge(link.source, link.target, { size: widthOf(link, length), color: colours.edge })
    this.#graph = graph
    this.#sigma = new Sigma(graph, place, {
      defaultEdgeType: length > 400 ? 'line' : 'arrow',
      labelFont: getComputedStyle(place).fontFamily,
      labelSize: 12,
      labelWeight: '600',
      labelColor: { color: colours.text },
      labelDensity: 0.6,
      labelGridCellSize: length > 40 ? 170 : 90,
      labelRenderedSizeThreshold: length > 400 ? 8 : 4,
      defaultDrawNodeLabel: drawLabel(colours),
      defaultDrawNodeHover: drawHover(colours),
      minCameraRatio: 0.02,
      maxCameraRatio: 4,
      stagePadding: 40,
      zIndex: true,
      nodeReducer: (id, data) => this.#shownNode(id, data, colours.faded),
      edgeReducer: (id, data) => this.#shownEdge(id, data, { lit: colours.lit, faded: colours.fadedEdge }),
    })
    this.#sigma.on('clickNode', ({ node }) => events.onPick(node))
    this.#sigma.on('clickStage', () => events.onPickNothing())
    this.#sigma.on('enterNode', ({ node }) => this.#point(node))
    this.#sigma.on('leaveNode', () => this.#point(undefined))
  }

  select(id: string | undefined): void {
    this.#selected = id !== undefined && this.#graph.hasNode(id) ? id : undefined
    this.#sigma.refresh({ skipIndexation: true })
  }

  /** @param factor above 1 enlarges */
  zoom(factor: number): void {
    const camera = this.#sigma.getCamera()
    void camera.animatedZoom({ factor, duration: motionMs() })
  }

  showAll(): void {
    void this.#sigma.getCamera().animatedReset({ duration: motionMs() })
  }

  /** Moves the map. @param x, y parts of the width that is seen */
  move(x: number, y: number): void {
    const camera = this.#sigma.getCamera()
    const state = camera.getState()
    camera.setState({ x: state.x + x * state.ratio, y: state.y + y * state.ratio })
  }

  end(): void {
    this.#sigma.kill()
  }

  #point(id: string | undefined): void {
    this.#near = id
    this.#sigma.refresh({ skipIndexation: true })
  }

  get #about(): string | undefined {
    return this.#near ?? this.#selected
  }

  #shownNode(id: string, data: Record<string, unknown>, faded: string) {
    const about = this.#about
    if (about === undefined) return data
    if (id === about) return { ...data, highlighted: true, zIndex: 2 }
    return this.#graph.areNeighbors(id, about)
      ? { ...data, forceLabel: true, zIndex: 1 }
      : { ...data, color: faded, label: null, zIndex: 0 }
  }

  #shownEdge(id: string, data: Record<string, unknown>, { lit, faded }: { lit: string; faded: string }) {
    const about = this.#about
    if (about === undefined) return data
    return this.#graph.hasExtremity(id, about)
      ? { ...data, color: lit, zIndex: 1 }
      : { ...data, color: faded, zIndex: 0 }
  }
}

/** How long the view takes to its new place, in milliseconds: it jumps for people who want less movement. */
function motionMs(): number {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 1 : 120
}
