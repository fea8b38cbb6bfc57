import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Point } from '../layout/layout.ts'
import {
  fitted,
  moved,
  READABLE_SCALE,
  readable,
  revealing,
  SIGNS_SCALE,
  type Size,
  type Viewport,
  zoomed,
} from './viewport.ts'

/** A pointer moves that far, in CSS pixels, before it pans. A click may tremble. */
const TREMBLE = 4

export interface ViewportControl {
  readonly view: Viewport
  readonly zoom: (factor: number) => void
  readonly showAll: () => void
  readonly reveal: (box: Size & Point) => void
  /** Whether the pointer has just panned: the click at its end selects nothing. */
  readonly panned: () => boolean
}

export interface Seen {
  readonly drawing: Size
  readonly centre: Point | undefined
  /** Whether the view begins with everything, even if names are too small to read. */
  readonly whole: boolean
  /** When it is another text, the drawing is shown from its beginning. */
  readonly question: string
}

/** Pans and zooms a drawing by wheel, pointer and pinch. */
export function useViewport(
  frame: RefObject<SVGSVGElement | null>,
  { drawing, centre, whole, question }: Seen,
): ViewportControl {
  const [view, setView] = useState<Viewport>({ x: 0, y: 0, scale: 1 })
  const moving = useRef(false)

  const sizeOf = (): Size => {
    const { clientWidth = 0, clientHeight = 0 } = frame.current ?? {}
    return { width: clientWidth, height: clientHeight }
  }

  // A change of the graph moves nothing: whoever looks at a node does not lose it.
  useLayoutEffect(() => {
    setView(readable(drawing, sizeOf(), { centre, smallest: whole ? SIGNS_SCALE : READABLE_SCALE }))
  }, [question])

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const pointers = new Map<number, Point>()
    let started: Point | undefined
    const place = ({ clientX, clientY }: MouseEvent): Point => {
      const { left, top } = element.getBoundingClientRect()
      return { x: clientX - left, y: clientY - top }
    }
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      // A mouse counts lines or pixels, a touchpad sends many small steps.
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
      const factor = Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 480))
      setView((now) => zoomed(now, factor, place(event)))
    }
    const down = (event: PointerEvent) => {
      if (event.button !== 0) return
      pointers.set(event.pointerId, place(event))
      started = place(event)
      moving.current = false
    }
    const move = (event: PointerEvent) => {
      const before = pointers.get(event.pointerId)
      if (before === undefined) return
      const now = place(event)
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1]
      if (other === undefined) {
        const far = started !== undefined && Math.hypot(now.x - started.x, now.y - started.y) > TREMBLE
        if (!moving.current && !far) return
        // Not earlier: a captured pointer clicks at the frame, and not at the node below it.
        if (!moving.current) element.setPointerCapture(event.pointerId)
        setView((view) => moved(view, now.x - before.x, now.y - before.y))
      } else {
        const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }
        const [distance, earlier] = [now, before].map(({ x, y }) => Math.hypot(x - other.x, y - other.y))
        setView((view) =>
          moved(
            zoomed(view, (distance ?? 1) / Math.max(1, earlier ?? 1), middle),
            (now.x - before.x) / 2,
            (now.y - before.y) / 2,
          ),
        )
      }
      moving.current = true
      pointers.set(event.pointerId, now)
    }
    const up = ({ pointerId }: PointerEvent) => {
      pointers.delete(pointerId)
    }
    const ended = new AbortController()
    const { signal } = ended
    element.addEventListener('wheel', wheel, { passive: false, signal })
    element.addEventListener('pointerdown', down, { signal })
    element.addEventListener('pointermove', move, { signal })
    for (const end of ['pointerup', 'pointercancel', 'pointerleave'] as const)
      element.addEventListener(end, up, { signal })
    return () => ended.abort()
  }, [frame])

  return {
    view,
    zoom(factor) {
      const { width, height } = sizeOf()
      setView((now) => zoomed(now, factor, { x: width / 2, y: height / 2 }))
    },
    showAll() {
      setView(fitted(drawing, sizeOf()))
    },
    reveal(box) {
      setView((now) => revealing(now, sizeOf(), box))
    },
    panned: () => moving.current,
  }
}
