import { useMemo } from 'preact/hooks'
import { SIGNS } from '../../drawing/model/marks.ts'
import { Failure, Loading } from '../../parts/states.tsx'
import { Revision } from '../../parts/time.tsx'
import { namespace, query, setQuery } from '../../state/location.ts'
import { useAsked } from '../../state/use-answer.ts'
import { DrawingBoard } from '../graph/parts/drawing-board.tsx'
import { type Difference, readDifference } from './data/read-difference.ts'
import { CommitTable } from './parts/commit-list.tsx'

const SHOWN = ['both', 'before', 'after'] as const
type Shown = (typeof SHOWN)[number]
const WORDS: Readonly<Record<Shown, string>> = { both: 'Both', before: 'Before', after: 'After' }

/** What differs between two moments. Nothing moves between them: both are laid out as one. */
export function ComparePart({ from, to }: { readonly from: string; readonly to: string | undefined }) {
  const key = JSON.stringify([from, to, namespace.value])
  const asked = useAsked(key, (signal) => readDifference({ from, to, namespace: namespace.peek() }, signal), {
    live: to === undefined,
    everyMs: 5_000,
  })
  if (asked.error !== undefined) return <Failure error={asked.error} onRetry={asked.retry} />
  if (asked.data === undefined) return <Loading what="the difference" />
  return <DifferenceDrawing found={asked.data} question={key} />
}

function DifferenceDrawing({ found, question }: { readonly found: Difference; readonly question: string }) {
  const { diff, total, exact } = found
  const content = JSON.stringify([found.union, [...found.signs]])
  // The same object while the difference is the same: it is laid out once.
  const { union, signs, before, after } = useMemo(() => found, [content])
  const arrangement = useMemo(() => ({ kind: 'layers' }) as const, [])
  // The view begins where something changed. It is not stressed: its sign says what happened.
  const start = useMemo(() => union.nodes.find(({ id }) => signs.has(id))?.id, [union])
  const marks = useMemo(
    () => ({ signs, whole: true, ...(start === undefined ? {} : { start }) }),
    [signs, start],
  )
  const shown = SHOWN.find((one) => one === query('moment')) ?? 'both'
  const present = shown === 'both' ? undefined : shown === 'before' ? before : after
  return (
    <>
      <p class="graph-sentence" role="status">
        {sentence(found)}
      </p>
      {!diff.complete && (
        <p class="quiet">
          Not every change is listed: {diff.nodesTotal.toLocaleString('en')} nodes and{' '}
          {diff.edgesTotal.toLocaleString('en')} edges changed.
        </p>
      )}
      <DrawingBoard
        graph={union}
        title={`What changed between revision ${diff.from} and ${diff.to}`}
        question={question}
        arrangement={arrangement}
        marks={marks}
        colour="health"
        shown={`${union.nodes.length.toLocaleString('en')} of ${exact ? '' : 'at least '}${total.toLocaleString('en')} shown`}
        {...(present === undefined ? {} : { present })}
        exported={{ asOf: shown === 'before' ? diff.from : diff.to }}
        tools={
          <>
            <fieldset class="moments" aria-label="Which moment is drawn">
              {SHOWN.map((one) => (
                <button
                  key={one}
                  type="button"
                  class="button button-small"
                  aria-pressed={shown === one}
                  onClick={() => setQuery({ moment: one === 'both' ? undefined : one })}
                >
                  {WORDS[one]}
                </button>
              ))}
            </fieldset>
            <span class="quiet">
              <Revision of={diff.from} /> to <Revision of={diff.to} />
            </span>
          </>
        }
      >
        <CommitTable commits={diff.commits} />
      </DrawingBoard>
    </>
  )
}

function sentence({ diff }: Difference): string {
  const parts = (['added', 'removed', 'changed'] as const).flatMap((change) => {
    const nodes = diff.nodes.filter((one) => one.change === change).length
    const edges = diff.edges.filter((one) => one.change === change).length
    if (nodes + edges === 0) return []
    const words = [many(nodes, 'node', 'nodes'), many(edges, 'edge', 'edges')].filter((word) => word !== '')
    return [`${SIGNS[change].sign} ${words.join(' and ')} ${change}`]
  })
  return parts.length === 0 ? 'Nothing in the graph changed between the two moments.' : `${parts.join(', ')}.`
}

function many(count: number, one: string, several: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${count === 1 ? one : several}`
}
