import { useEffect, useMemo, useState } from 'preact/hooks'
import { layouts } from '../layout/ask-layout.ts'
import type { Layout } from '../layout/layout.ts'
import type { DrawnGraph } from '../model/drawn-graph.ts'
import { needOf } from '../model/drawn-graph.ts'
import { measuredIn } from '../text/measured-width.ts'
import { type Measures, type NodeBox, nodeBox } from './node-box.ts'

export interface Arrangement {
  /** `layers`: whoever needs something stands left of it. `steps`: one column for each distance. */
  readonly kind: 'layers' | 'steps'
  readonly distances?: ReadonlyMap<string, number>
  /** Whether the steps go to the left, as from a node to those that need it. */
  readonly fromRight?: boolean
}

/** A graph with the places of its boxes. They belong together: after a change the old ones stay until the new ones are there. */
export interface LaidOut {
  readonly graph: DrawnGraph
  readonly boxes: ReadonlyMap<string, NodeBox>
  readonly layout: Layout
  readonly question: string
}

export interface LayoutState {
  readonly laidOut: LaidOut | undefined
  readonly pending: boolean
  readonly fault: Error | undefined
}

/** Lays a graph out in the worker, again whenever the graph or the arrangement is another object. */
export function useLayout(graph: DrawnGraph, arrangement: Arrangement, question: string): LayoutState {
  const [state, setState] = useState<LayoutState>({ laidOut: undefined, pending: true, fault: undefined })
  const { kind, distances, fromRight = false } = arrangement
  const boxes = useMemo(
    () => new Map(graph.nodes.map((node) => [node.id, nodeBox(node, measures())])),
    [graph],
  )
  useEffect(() => {
    const aborting = new AbortController()
    setState(({ laidOut }) => ({ laidOut, pending: true, fault: undefined }))
    const wanted = {
      kind,
      boxes: [...boxes.values()].map(({ id, width, height }) => ({ id, width, height })),
      lines: graph.edges.map((edge) => {
        const { consumer, provider } = needOf(edge)
        return { id: edge.id, source: consumer, target: provider }
      }),
      ...(distances === undefined ? {} : { columns: distances }),
      fromRight,
    }
    layouts.ask(wanted, aborting.signal).then(
      (layout) => setState({ laidOut: { graph, boxes, layout, question }, pending: false, fault: undefined }),
      (fault: Error) => {
        if (!aborting.signal.aborted) setState({ laidOut: undefined, pending: false, fault })
      },
    )
    return () => aborting.abort()
  }, [graph, boxes, kind, distances, fromRight, question])
  return state
}

let known: Measures | undefined

function measures(): Measures {
  known ??= { label: measuredIn(600), detail: measuredIn(400) }
  return known
}
