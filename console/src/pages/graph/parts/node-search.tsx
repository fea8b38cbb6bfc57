import { useEffect, useId, useState } from 'preact/hooks'
import { api } from '../../../api/client.ts'
import type { GraphAnswer } from '../../../api/types.ts'
import type { DrawnGraph } from '../../../drawing/model/drawn-graph.ts'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { Search } from '../../../parts/search.tsx'
import { asOf, namespace } from '../../../state/location.ts'

export interface NodeSearchProps {
  readonly label: string
  /** Where it is looked first, without asking: what is shown. */
  readonly graph?: DrawnGraph | undefined
  readonly onPick: (node: FoundNode) => void
  readonly hotkey?: boolean
  /** Only services. @default false */
  readonly services?: boolean
}

export interface FoundNode {
  readonly id: string
  readonly label: string
  readonly type: string
  readonly namespace: string
}

const MOST = 10
/** How long the fingers rest before the coordinator is asked, in milliseconds. */
const REST_MS = 150

/** Finds a node by its name: first among those that are shown, then in the whole graph. */
export function NodeSearch({ label, graph, onPick, hotkey = false, services = false }: NodeSearchProps) {
  const [text, setText] = useState('')
  const [asked, setAsked] = useState<readonly FoundNode[]>([])
  const [active, setActive] = useState(0)
  // Somebody who pressed Enter before there was anything to take gets the first one that arrives.
  const [hasty, setHasty] = useState(false)
  const list = useId()
  const wanted = text.trim()
  const lower = wanted.toLowerCase()
  const near =
    wanted === '' ? [] : (graph?.nodes ?? []).filter((node) => node.label.toLowerCase().includes(lower))
  const found = [...new Map([...near, ...asked].map((node) => [node.id, node])).values()]
    .filter(({ type }) => !services || type === 'service')
    .sort((one, other) => rank(one, lower) - rank(other, lower) || one.label.length - other.label.length)
    .slice(0, MOST)

  useEffect(() => {
    setActive(0)
    setAsked([])
    if (wanted === '') return
    const aborting = new AbortController()
    const timer = setTimeout(() => {
      const query = { name: `${wanted}*`, limit: MOST, asOf: asOf.peek(), namespace: namespace.peek() }
      api
        .get<GraphAnswer>('/knowledge-graph', { query, signal: aborting.signal })
        .then(({ knowledgeGraph }) => setAsked(knowledgeGraph.nodes))
        // The list then has what is shown, and the field says nothing: a fault of the coordinator is told at the top of the page.
        .catch(() => setAsked([]))
    }, REST_MS)
    return () => {
      clearTimeout(timer)
      aborting.abort()
    }
  }, [wanted])

  useEffect(() => {
    if (hasty && found[0] !== undefined) pick(found[0])
  }, [hasty, found[0]?.id])

  function pick(node: FoundNode | undefined): void {
    if (node === undefined) return setHasty(wanted !== '')
    setHasty(false)
    setText('')
    onPick(node)
  }

  return (
    <div class="node-search">
      <Search
        label={label}
        value={text}
        onInput={(typed) => {
          setText(typed)
          setHasty(false)
        }}
        hotkey={hotkey}
        suggestions={{
          list,
          expanded: found.length > 0,
          active: found.length > 0 ? `${list}-${active}` : undefined,
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') pick(found[active])
          else if (event.key === 'ArrowDown') setActive(Math.min(found.length - 1, active + 1))
          else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1))
          else return
          event.preventDefault()
        }}
      />
      <div
        id={list}
        role="listbox"
        aria-label="Found nodes"
        class="node-search-list"
        hidden={found.length === 0}
      >
        {found.map((node, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the field above has the keys and the focus
          <div
            key={node.id}
            id={`${list}-${at}`}
            role="option"
            aria-selected={at === active}
            class="node-search-option"
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => pick(node)}
          >
            <span>{shownText(node.label)}</span>
            <span class="quiet">
              {shownText(node.namespace === 'default' ? node.type : `${node.namespace} · ${node.type}`)}
            </span>
          </div>
        ))}
      </div>
      <p class="unseen" role="status">
        {wanted === '' ? '' : `${found.length} found`}
      </p>
    </div>
  )
}

function rank({ label }: FoundNode, wanted: string): number {
  const text = label.toLowerCase()
  return text === wanted ? 0 : text.startsWith(wanted) ? 1 : 2
}
