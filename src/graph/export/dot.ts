import { placedLabel } from '../../records/graph/graph-id.ts'
import type { GraphFormat } from './graph-format.ts'

// A map and not an object: a client may choose a type such as `constructor`, which is a property of every object.
const shapes: ReadonlyMap<string, string> = new Map([
  ['service', 'box'],
  ['api', 'cds'],
  ['table', 'cylinder'],
  ['event', 'hexagon'],
  ['capability', 'ellipse'],
  ['team', 'house'],
])

/** DOT, for Graphviz. */
export const dotFormat: GraphFormat = {
  contentType: 'text/vnd.graphviz; charset=utf-8',
  writer: ({ revision }) => ({
    begin: () => `digraph knowledgeGraph {\n  graph [rankdir="LR", comment="revision ${revision}"];\n`,
    node: (node) => {
      const { id, type, data } = node
      const style = data['unresolved'] === true ? ', style="dashed"' : ''
      return `  ${quote(id)} [label=${quote(placedLabel(node))}, class=${quote(type)}, shape="${shapes.get(type) ?? 'oval'}"${style}];\n`
    },
    edge: ({ source, target, type, origin }) => {
      const style = origin === 'declared' ? '' : `, style="${origin === 'asserted' ? 'dashed' : 'dotted'}"`
      return `  ${quote(source)} -> ${quote(target)} [label=${quote(type)}${style}];\n`
    },
    end: () => '}\n',
  }),
}

/**
 * A quoted DOT string. Inside of it, only `\"` is an escape of the language. Labels interpret other backslashes (`\N` is the name of the
 * node), so backslashes are doubled. Control characters have no escape, and become spaces.
 */
function quote(text: string): string {
  const plain = text.toWellFormed().replace(/\p{Cc}/gu, ' ')
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;')}"`
}
