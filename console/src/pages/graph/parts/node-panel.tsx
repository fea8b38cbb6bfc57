import { type DrawnGraph, type DrawnNode, needOf } from '../../../drawing/model/drawn-graph.ts'
import { SIGNS, type Sign } from '../../../drawing/model/marks.ts'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { HealthMark } from '../../../parts/health-mark.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { Link } from '../../../parts/link.tsx'
import { NodeLink } from './node-link.tsx'

export interface NodePanelProps {
  readonly node: DrawnNode
  readonly graph: DrawnGraph
  readonly sign?: Sign | undefined
  readonly hidden: number
  readonly onSelect: (id: string | undefined) => void
  readonly onOpen?: ((id: string) => void) | undefined
}

/** What is known of one node, and where to go from it. */
export function NodePanel({ node, graph, sign, hidden, onSelect, onOpen }: NodePanelProps) {
  const labels = new Map(graph.nodes.map(({ id, label }) => [id, label]))
  const needs = new Set<string>()
  const neededBy = new Set<string>()
  for (const edge of graph.edges) {
    const { consumer, provider } = needOf(edge)
    if (consumer === node.id && provider !== node.id) needs.add(provider)
    if (provider === node.id && consumer !== node.id) neededBy.add(consumer)
  }
  const listed = (title: string, ids: ReadonlySet<string>) => (
    <div class="node-panel-list">
      <h3>
        {title} {ids.size}
      </h3>
      <p>
        {[...ids].map((id) => (
          <NodeLink key={id} id={id} label={labels.get(id) ?? id} onSelect={onSelect} />
        ))}
        {ids.size === 0 && <span class="quiet">nothing that is shown</span>}
      </p>
    </div>
  )
  const of = node.id
  return (
    <section class="panel node-panel" aria-label={`About ${shownText(node.label)}`}>
      <header class="panel-head">
        <h2 class="wrap">{shownText(node.label)}</h2>
        <button
          type="button"
          class="button button-small"
          aria-label="Close"
          onClick={() => onSelect(undefined)}
        >
          <Icon name="close" />
        </button>
      </header>
      <p class="node-panel-facts">
        {node.health !== undefined && <HealthMark health={node.health} />}
        {node.unresolved && <span class="tag tag-missing">not registered</span>}
        {sign !== undefined && (
          <span class="tag" data-sign={sign}>
            {SIGNS[sign].sign} {SIGNS[sign].word}
          </span>
        )}
        <span>{shownText(node.type)}</span>
        {node.namespace !== 'default' && <span>in {shownText(node.namespace)}</span>}
        {node.versions.slice(0, 3).map((version) => (
          <span key={version} class="mono">
            {shownText(version)}
          </span>
        ))}
        {node.instances > 1 && <span>{node.instances} instances</span>}
        {node.owner !== undefined && <span>owned by {shownText(node.owner)}</span>}
      </p>
      {node.tags.length > 0 && (
        <p class="tags">
          {node.tags.slice(0, 12).map((tag) => (
            <span key={tag} class="tag">
              {shownText(tag)}
            </span>
          ))}
        </p>
      )}
      <p class="node-panel-links">
        <Link to="/graph" query={{ of }} class="button button-small">
          Neighbourhood
        </Link>
        <Link to="/graph" query={{ show: 'impact', of }} class="button button-small">
          Who breaks
        </Link>
        <Link to="/graph" query={{ show: 'dependencies', of }} class="button button-small">
          What it needs
        </Link>
        {node.type === 'service' && !node.unresolved && (
          <>
            <Link to="/what-if" query={{ remove: of }} class="button button-small">
              What if it is removed
            </Link>
            <Link to="/service" query={{ name: node.label, in: node.namespace }} class="button button-small">
              Service
            </Link>
          </>
        )}
        {hidden > 0 && onOpen !== undefined && (
          <button type="button" class="button button-small" onClick={() => onOpen(of)}>
            Show {hidden} more beside it
          </button>
        )}
      </p>
      {listed('Needs', needs)}
      {listed('Needed by', neededBy)}
    </section>
  )
}
