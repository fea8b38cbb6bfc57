/** What happened to a node or an edge, or would happen to it. Each has a sign of its own, so that nobody needs the colour. */
export type Sign = 'added' | 'removed' | 'changed' | 'lost' | 'broken' | 'affected'

export const SIGNS: Readonly<Record<Sign, { readonly sign: string; readonly word: string }>> = {
  added: { sign: '+', word: 'added' },
  removed: { sign: '−', word: 'removed' },
  changed: { sign: '≠', word: 'changed' },
  lost: { sign: '×', word: 'gone' },
  broken: { sign: '!', word: 'breaks' },
  affected: { sign: '~', word: 'affected' },
}

/** What a drawing says about its nodes and edges, besides what they are. */
export interface Marks {
  /** The node that the drawing is about. */
  readonly centre?: string
  /** Where the view begins if the whole drawing cannot be read at once. @default the centre */
  readonly start?: string
  /** The signs matter more than the names: the view begins with everything, even if names are too small to read. @default false */
  readonly whole?: boolean
  readonly signs?: ReadonlyMap<string, Sign>
  /** Nodes and edges on a path or in a cycle. */
  readonly strong?: ReadonlySet<string>
  /** Edges that are drawn fainter: they matter less for the question. */
  readonly quiet?: ReadonlySet<string>
  /** How many neighbours of a node are not shown. */
  readonly hidden?: ReadonlyMap<string, number>
}
