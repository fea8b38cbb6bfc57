import type { ComponentChildren } from 'preact'
import type { DrawnGraph } from '../model/drawn-graph.ts'
import { FocusDrawing, type FocusDrawingProps } from './focus-drawing.tsx'
import { type Arrangement, useLayout } from './use-layout.ts'

export interface FocusViewProps extends Omit<FocusDrawingProps, 'laidOut'> {
  readonly graph: DrawnGraph
  readonly arrangement: Arrangement
  /** A text that changes with the question. When it changes, the view begins anew; otherwise it stays where it is. */
  readonly question: string
  /** Above the drawing, in its frame. */
  readonly children?: ComponentChildren
}

/** A focus drawing with its layout: while it is made, and when it cannot be made, the frame says so. */
export function FocusView({ graph, arrangement, question, children, ...props }: FocusViewProps) {
  const { laidOut, pending, fault } = useLayout(graph, arrangement, question)
  return (
    <div class="focus-view" aria-busy={pending} data-drawn={laidOut?.graph.nodes.length ?? 0}>
      {fault !== undefined && (
        <p class="drawing-fault" role="alert">
          The drawing cannot be made: {fault.message} The table shows the same nodes and edges.
        </p>
      )}
      {laidOut === undefined ? (
        <div class="drawing-frame">
          {pending && (
            <p class="drawing-state" role="status">
              Drawing {graph.nodes.length} nodes ...
            </p>
          )}
        </div>
      ) : (
        <FocusDrawing {...props} laidOut={laidOut} />
      )}
      {children}
    </div>
  )
}
