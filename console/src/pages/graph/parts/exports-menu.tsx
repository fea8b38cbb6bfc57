import { useState } from 'preact/hooks'
import type { ApiError } from '../../../api/api-error.ts'
import { api, type Query } from '../../../api/client.ts'
import { Menu } from '../../../parts/menu.tsx'
import { Failure } from '../../../parts/states.tsx'
import { download } from './download.ts'

/** The formats of `GET /knowledge-graph`. */
const FORMATS = [
  { format: 'json', word: 'JSON', file: 'json', type: 'application/json' },
  { format: 'ndjson', word: 'JSON lines', file: 'ndjson', type: 'application/x-ndjson' },
  { format: 'graphml', word: 'GraphML (yEd, Gephi)', file: 'graphml', type: 'application/graphml+xml' },
  { format: 'dot', word: 'DOT (Graphviz)', file: 'dot', type: 'text/vnd.graphviz' },
  { format: 'mermaid', word: 'Mermaid (Markdown)', file: 'mmd', type: 'text/vnd.mermaid' },
  { format: 'cytoscape', word: 'Cytoscape.js', file: 'cyjs', type: 'application/json' },
] as const

export interface ExportsMenuProps {
  /** Which part of the graph: parameters of `GET /knowledge-graph`. */
  readonly query: Query
  /** The drawing as it is seen; `undefined` where there is none. */
  readonly svg: (() => string | undefined) | undefined
}

/** Everything that can be saved: the drawing, and the part of the graph around it in every format of the API. */
export function ExportsMenu({ query, svg }: ExportsMenuProps) {
  const [error, setError] = useState<ApiError>()
  return (
    <Menu label="Save">
      <div class="exports-list">
        {svg !== undefined && (
          <button
            type="button"
            class="button button-small"
            onClick={() => {
              const text = svg()
              if (text !== undefined) download(text, { name: 'graph.svg', type: 'image/svg+xml' })
            }}
          >
            This drawing as SVG
          </button>
        )}
        {FORMATS.map(({ format, word, file, type }) => (
          <button
            key={format}
            type="button"
            class="button button-small"
            onClick={() => {
              setError(undefined)
              api
                .text('/knowledge-graph', { query: { ...query, format } })
                .then((text) => download(text, { name: `graph.${file}`, type }), setError)
            }}
          >
            {word}
          </button>
        ))}
        {error !== undefined && <Failure error={error} />}
      </div>
    </Menu>
  )
}
