import { useMemo, useRef } from 'preact/hooks'
import { api } from '../../api/client.ts'
import type { ChangesPage } from '../../api/types.ts'
import type { Sign } from '../../drawing/model/marks.ts'
import { mostJoined } from '../../drawing/model/neighbours.ts'
import { shownPart } from '../../drawing/model/shown-part.ts'
import { Empty, Failure, Loading } from '../../parts/states.tsx'
import { namespace, query } from '../../state/location.ts'
import { useAsked } from '../../state/use-answer.ts'
import { nodeIdOf, type ReadGraph, readGraph } from '../graph/data/read-graph.ts'
import { DrawingBoard } from '../graph/parts/drawing-board.tsx'
import { mostNeeded } from '../graph/views/most-needed.ts'
import { entryNodes } from './data/entry-nodes.ts'
import { LastCommits } from './parts/commit-list.tsx'

/** Up to so many nodes, a moment is shown whole: one sees the graph grow. */
const WHOLE_SHOWN = 60
const MOST_NODES = 200
const MOST_EDGES = 320
/** How many commits before the moment are listed. */
const COMMITS = 8

interface Look {
  /** The node that was asked for. */
  readonly of: string | undefined
  readonly read: ReadGraph
  /** The node whose surroundings are shown; `undefined`: everything. */
  readonly centre: string | undefined
  readonly entries: ChangesPage['entries']
}

/** The graph of one moment, and the commits that led to it. */
export function LookPart({ asOf }: { readonly asOf: string | undefined }) {
  const of = query('of')
  const key = JSON.stringify([asOf, of, namespace.value])
  const asked = useAsked(key, (signal) => readLook({ asOf, of }, signal), {
    live: asOf === undefined,
    everyMs: 4_000,
  })
  const before = useRef<Look | undefined>(undefined)
  if (asked.data !== undefined) before.current = asked.data
  const look = asked.data ?? (asked.loading && asked.error === undefined ? before.current : undefined)
  if (asked.error !== undefined) return <Failure error={asked.error} onRetry={asked.retry} />
  if (look === undefined) return <Loading what="the graph of that moment" />
  if (look.read.graph.nodes.length === 0)
    return (
      <Empty title="At this moment the graph was empty.">
        <p>Move the slider to the right: the bars show when there were changes.</p>
      </Empty>
    )
  return <LookDrawing look={look} question={JSON.stringify([look.of, look.centre])} />
}

function LookDrawing({ look, question }: { readonly look: Look; readonly question: string }) {
  const { read, centre, entries } = look
  const content = JSON.stringify([read.graph, centre])
  const part = useMemo(
    () =>
      shownPart(read.graph, {
        from: centre === undefined ? read.graph.nodes.map(({ id }) => id) : [centre],
        opened: [],
        follow: 'both',
        depth: 1,
        mostNodes: MOST_NODES,
        mostEdges: MOST_EDGES,
      }),
    [content],
  )
  const arrangement = useMemo(() => ({ kind: 'layers' }) as const, [])
  const written = entryNodes(entries[0]).join('\n')
  const marks = useMemo(() => {
    const signs = new Map(
      written === '' ? [] : written.split('\n').map((id): [string, Sign] => [id, 'changed']),
    )
    const start = centre ?? part.graph.nodes.find(({ id }) => signs.has(id))?.id ?? mostJoined(part.graph)
    return {
      ...(centre === undefined ? {} : { centre }),
      ...(start === undefined ? {} : { start }),
      signs,
      hidden: part.hidden,
    }
  }, [part, written])
  return (
    <DrawingBoard
      graph={part.graph}
      title={`The graph at revision ${read.revision}`}
      question={question}
      arrangement={arrangement}
      marks={marks}
      colour="health"
      shown={`${part.graph.nodes.length.toLocaleString('en')} of ${read.total.nodes.toLocaleString('en')} shown`}
      exported={{ asOf: read.revision, ...(centre === undefined ? {} : { around: centre, depth: 1 }) }}
      tools={
        <span class="quiet">
          {centre === undefined ? 'Everything.' : 'One node and what is beside it: search another one above.'}{' '}
          ≠ marks what the last commit wrote.
        </span>
      }
    >
      <LastCommits entries={entries} />
    </DrawingBoard>
  )
}

async function readLook(
  { asOf, of }: { readonly asOf: string | undefined; readonly of: string | undefined },
  signal: AbortSignal,
): Promise<Look> {
  const moment = { asOf, namespace: namespace.peek() }
  let read = await readGraph(
    moment,
    of === undefined ? undefined : { centres: [of], follow: 'both', depth: 2 },
    signal,
  )
  let centre = of === undefined ? undefined : await nodeIdOf(read, of, moment, signal)
  if (centre === undefined && read.total.nodes > WHOLE_SHOWN) {
    centre = (await mostNeeded(moment, signal))?.id
    if (centre !== undefined && !read.whole)
      read = await readGraph(moment, { centres: [centre], follow: 'both', depth: 2 }, signal)
  }
  const after = Math.max(0, read.revision - COMMITS)
  const page = await api.get<ChangesPage>('/changes', {
    query: { after, limit: Math.max(1, read.revision - after) },
    signal,
  })
  const entries = page.entries.filter(({ revision }) => revision <= read.revision).toReversed()
  return { of, read, centre, entries }
}
