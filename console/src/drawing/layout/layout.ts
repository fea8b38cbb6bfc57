export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box {
  readonly id: string
  readonly width: number
  readonly height: number
}

export interface Line {
  readonly id: string
  readonly source: string
  readonly target: string
}

/** What is to be laid out. Lengths are CSS pixels at the scale 1. */
export interface LayoutWanted {
  /** `layers`: whoever needs something stands left of it. `steps`: one column for each distance. */
  readonly kind: 'layers' | 'steps'
  readonly boxes: readonly Box[]
  readonly lines: readonly Line[]
  /** For `steps`: the column of each box, beginning with 0. A box that is absent stands in the last one. */
  readonly columns?: ReadonlyMap<string, number>
  /** For `steps`: whether column 0 is the rightmost one, so that arrows point to the right. */
  readonly fromRight?: boolean
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** The middle of each box. */
  readonly places: ReadonlyMap<string, Point>
  /** The points of each line, from the border of the source to the border of the target. */
  readonly routes: ReadonlyMap<string, readonly Point[]>
  /** For `steps`: the middle of each column, from the left, and its distance. */
  readonly headings: readonly { readonly x: number; readonly distance: number }[]
}

/** Distances between boxes. */
export const GAP = { beside: 12, between: 88, margin: 24 } as const
