import type { Tone } from '../model/tones.ts'

/** A circle of the map: one node, or a group of nodes. */
export interface MapItem {
  readonly id: string
  readonly label: string
  /** The nodes that it stands for: 1 for a node. */
  readonly count: number
  readonly tone: Tone
  /** Of an opened group: its nodes begin near each other. */
  readonly group?: string
}

export interface MapLink {
  readonly source: string
  readonly target: string
  /** How many edges it stands for. */
  readonly count: number
}

export interface MapGraph {
  readonly items: readonly MapItem[]
  readonly links: readonly MapLink[]
}

/** More circles than this are a knot in every drawing. */
export const MOST_ITEMS = 2_000

export interface MapPlace {
  readonly x: number
  readonly y: number
}

/** The radius of a circle in CSS pixels: its area grows with the number of nodes. */
export function radiusOf({ count }: MapItem, items: number): number {
  const least = items > 800 ? 3 : items > 200 ? 4.5 : 7
  return Math.min(34, least * Math.sqrt(1 + Math.log2(Math.max(1, count)) * 2))
}

/** The width of a line in CSS pixels. */
export function widthOf({ count }: MapLink, items: number): number {
  const least = items > 500 ? 0.6 : 1.1
  return Math.min(7, least + Math.log2(Math.max(1, count)) * 0.7)
}
