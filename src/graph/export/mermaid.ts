import { placedLabel } from '../../records/graph/graph-id.ts'
import type { NodeJson } from '../derive/describe.ts'
import type { GraphFormat } from './graph-format.ts'

/** A Mermaid flowchart, for Markdown. Nodes have numbers instead of ids, because ids may contain Mermaid's syntax. */
export const mermaidFormat: GraphFormat = {
  contentType: 'text/vnd.mermaid; charset=utf-8',
  writer: ({ revision }) => {
    const numbers = new Map<string, number>()
    const name = (id: string) => {
      const known = numbers.get(id)
      if (known !== undefined) return `n${known}`
      numbers.set(id, numbers.size)
      return `n${numbers.size - 1}`
    }
    return {
      begin: () => `%% knowledge graph at revision ${revision}\nflowchart LR\n`,
      node: (node) => `  ${name(node.id)}${shape(node)}\n`,
      edge: ({ source, target, type, origin }) =>
        `  ${name(source)} ${origin === 'declared' ? '-->' : '-.->'}|"${escapeLabel(type)}"| ${name(target)}\n`,
      end: () => '',
    }
  },
}

function shape(node: NodeJson): string {
  const { type } = node
  const text = `"${escapeLabel(placedLabel(node))}"`
  if (type === 'service') return `[${text}]`
  if (type === 'table') return `[(${text})]`
  if (type === 'event') return `{{${text}}}`
  return `([${text}])`
}

/** Writes everything but letters, digits and a few harmless characters as entity codes of Mermaid: `#35;` is a `#`. */
function escapeLabel(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .replace(/[^\p{L}\p{N} ._/:-]/gu, (character) => `#${character.codePointAt(0)};`)
}
