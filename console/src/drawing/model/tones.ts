import type { DrawnGraph, DrawnNode } from './drawn-graph.ts'

/** By what nodes are coloured. */
export const COLOURS = ['health', 'type', 'owner', 'tag', 'namespace'] as const
export type Colour = (typeof COLOURS)[number]

/** A name of a colour in drawing.css: `up`, `down`, `expired`, `unknown`, `missing`, `plain`, or `c0` to `c7`. */
export type Tone = string

export interface Tones {
  readonly of: (node: DrawnNode) => Tone
  /** What the colours mean, most frequent first. */
  readonly legend: readonly { readonly tone: Tone; readonly word: string; readonly count: number }[]
}

/** More colours than this cannot be told apart. */
const MOST_COLOURS = 8
const HEALTH_WORDS = { down: 'down', expired: 'expired', up: 'up', unknown: 'unknown' } as const

export function healthWord(node: DrawnNode): string {
  return node.unresolved ? 'not registered' : node.health === undefined ? '' : HEALTH_WORDS[node.health]
}

/** Gives each node a colour. The values that most nodes have get the colours; the others share a plain one. */
export function tonesOf({ nodes }: DrawnGraph, colour: Colour): Tones {
  if (colour === 'health') return byHealth(nodes)
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const value = valueIn(node, colour)
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const sorted = [...counts].sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1))
  const tones = new Map(sorted.slice(0, MOST_COLOURS).map(([value], at) => [value, `c${at}`]))
  const plain = nodes.filter((node) => !tones.has(valueIn(node, colour) ?? '')).length
  return {
    of: (node) => tones.get(valueIn(node, colour) ?? '') ?? 'plain',
    legend: [
      ...[...tones].map(([word, tone]) => ({ tone, word, count: counts.get(word) ?? 0 })),
      ...(plain > 0
        ? [{ tone: 'plain', word: sorted.length > MOST_COLOURS ? 'others' : `no ${colour}`, count: plain }]
        : []),
    ],
  }
}

function byHealth(nodes: readonly DrawnNode[]): Tones {
  const of = (node: DrawnNode): Tone => (node.unresolved ? 'missing' : (node.health ?? 'plain'))
  const words: Readonly<Record<string, string>> = {
    ...HEALTH_WORDS,
    missing: 'not registered',
    plain: 'without health',
  }
  const counts = Object.groupBy(nodes, of)
  return {
    of,
    legend: ['missing', 'down', 'expired', 'up', 'unknown', 'plain'].flatMap((tone) => {
      const count = counts[tone]?.length ?? 0
      return count > 0 ? [{ tone, word: words[tone] ?? tone, count }] : []
    }),
  }
}

/** A node with several tags gets the colour of the first one. */
function valueIn(node: DrawnNode, colour: Exclude<Colour, 'health'>): string | undefined {
  if (colour === 'tag') return node.tags[0]
  return node[colour]
}
