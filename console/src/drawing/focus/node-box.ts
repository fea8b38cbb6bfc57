import type { Box } from '../layout/layout.ts'
import type { DrawnNode } from '../model/drawn-graph.ts'
import { healthWord } from '../model/tones.ts'
import { fittingText, type Measure, shownText } from '../text/shown-text.ts'

/** How large a node is drawn, and with which words. Lengths are CSS pixels at the scale 1. */
export interface NodeBox extends Box {
  readonly label: string
  readonly detail: string
}

export const LABEL_SIZE = 13
export const DETAIL_SIZE = 10.5
/** Left of the words there is the stripe, right of them nothing. */
export const PADDING = { left: 18, right: 14 } as const
const HEIGHT = 42
const WIDEST = 216
const NARROWEST = 84

/** How wide the two lines of a box are. */
export interface Measures {
  readonly label: Measure
  readonly detail: Measure
}

export function nodeBox(node: DrawnNode, measures: Measures): NodeBox {
  const room = WIDEST - PADDING.left - PADDING.right
  const label = fittingText(shownText(node.label), room / LABEL_SIZE, measures.label)
  const detail = fittingText(shownText(detailOf(node)), room / DETAIL_SIZE, measures.detail)
  const words = Math.max(measures.label(label) * LABEL_SIZE, measures.detail(detail) * DETAIL_SIZE)
  const width = Math.min(WIDEST, Math.max(NARROWEST, Math.ceil(words) + PADDING.left + PADDING.right))
  return { id: node.id, width, height: HEIGHT, label, detail }
}

/** The second line: what kind of node it is, its version, and its health. */
function detailOf(node: DrawnNode): string {
  const { type, versions, instances, namespace } = node
  const version = versions.length > 1 ? `${versions.length} versions` : versions[0]
  const kind = namespace === 'default' ? type : `${namespace} · ${type}`
  const parts = [type === 'service' && namespace === 'default' ? undefined : kind, version]
  if (instances > 1) parts.push(`${instances} instances`)
  // Most nodes send no heartbeats. A word at each of them would hide the few that do.
  if (node.health !== 'unknown') parts.push(healthWord(node))
  return parts.filter((part) => part !== undefined && part !== '').join(' · ') || kind
}

/** What a screen reader says about a node: first what is written in its box, so that people who speak to their computer find it. */
export function nodeName(
  node: DrawnNode,
  { label, detail }: NodeBox,
  { needs, neededBy }: { readonly needs: number; readonly neededBy: number },
): string {
  const full = shownText(node.label)
  const words = [
    `${label} ${detail}`,
    ...(full === label ? [] : [full]),
    shownText(node.type),
    ...(node.health === 'unknown' ? ['health unknown'] : []),
    ...(node.namespace === 'default' ? [] : [`namespace ${shownText(node.namespace)}`]),
  ]
  return `${words.join(', ')}, needs ${needs}, needed by ${neededBy}`
}
