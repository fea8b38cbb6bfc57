import type { Point } from '../layout/layout.ts'

/** Where the drawing stands in its frame: a point `p` of the drawing is at `p * scale + (x, y)`, in CSS pixels. */
export interface Viewport {
  readonly x: number
  readonly y: number
  readonly scale: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export const SMALLEST_SCALE = 0.05
export const LARGEST_SCALE = 4
/** Smaller than this, names cannot be read: at first a part is shown, and not everything. */
export const READABLE_SCALE = 0.62
/** Smaller than this, not even the signs of nodes and edges can be told apart. */
export const SIGNS_SCALE = 0.3
/** A few nodes are not blown up over the whole screen. */
const LARGEST_AT_FIRST = 1.3

/** The whole drawing in the middle of the frame, a little enlarged at most. */
export function fitted(drawing: Size, frame: Size): Viewport {
  const fit = Math.min(frame.width / drawing.width, frame.height / drawing.height)
  return centred(drawing, frame, clamp(Number.isFinite(fit) ? Math.min(LARGEST_AT_FIRST, fit) : 1))
}

/**
 * Everything if it can be read then; else the surroundings of one point, as far as the drawing reaches.
 *
 * @param smallest the scale from which on everything can be read
 */
export function readable(
  drawing: Size,
  frame: Size,
  { centre, smallest }: { readonly centre: Point | undefined; readonly smallest: number },
): Viewport {
  const all = fitted(drawing, frame)
  if (all.scale >= smallest) return all
  const point = centre ?? { x: 0, y: drawing.height / 2 }
  return {
    scale: READABLE_SCALE,
    x: within(frame.width / 2 - point.x * READABLE_SCALE, frame.width, drawing.width * READABLE_SCALE),
    y: within(frame.height / 2 - point.y * READABLE_SCALE, frame.height, drawing.height * READABLE_SCALE),
  }
}

/** Enlarges, so that what is under the point of the frame stays there. */
export function zoomed(view: Viewport, factor: number, { x, y }: Point): Viewport {
  const scale = clamp(view.scale * factor)
  const ratio = scale / view.scale
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio }
}

export function moved(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, x: view.x + dx, y: view.y + dy }
}

/** Moves only as far as is needed for a box of the drawing to be in the frame. */
export function revealing(view: Viewport, frame: Size, box: Size & Point): Viewport {
  const shift = (middle: number, half: number, length: number) => {
    const room = Math.min(24 + half, length / 2)
    if (middle < room) return room - middle
    return middle > length - room ? length - room - middle : 0
  }
  const { scale } = view
  return moved(
    view,
    shift(box.x * scale + view.x, (box.width * scale) / 2, frame.width),
    shift(box.y * scale + view.y, (box.height * scale) / 2, frame.height),
  )
}

function centred(drawing: Size, frame: Size, scale: number): Viewport {
  return {
    scale,
    x: (frame.width - drawing.width * scale) / 2,
    y: (frame.height - drawing.height * scale) / 2,
  }
}

function within(offset: number, frame: number, length: number): number {
  return length <= frame ? (frame - length) / 2 : Math.min(0, Math.max(frame - length, offset))
}

function clamp(scale: number): number {
  return Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, scale))
}
