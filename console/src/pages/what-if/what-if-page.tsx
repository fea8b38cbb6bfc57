import { useMemo } from 'preact/hooks'
import { apiUrl } from '../../api/client.ts'
import { shownPart } from '../../drawing/model/shown-part.ts'
import { Copy } from '../../parts/copy.tsx'
import { Page, Panel } from '../../parts/page.tsx'
import { Empty, Failure, Loading } from '../../parts/states.tsx'
import { sendCommand } from '../../state/commands.ts'
import { asOf, hrefOf, query, queryAll } from '../../state/location.ts'
import { useAsked } from '../../state/use-answer.ts'
import { DrawingBoard } from '../graph/parts/drawing-board.tsx'
import { type ChangeWish, isEmpty, wishFrom } from './change-wish.ts'
import { ChangeForm } from './parts/change-form.tsx'
import { Verdict } from './parts/verdict.tsx'
import { cliCommand } from './pipeline-commands.ts'
import { type Consequences, readConsequences } from './read-consequences.ts'
import './what-if.css'

/** What a change would break. The change is in the address: the page can be sent to somebody. */
export function WhatIfPage() {
  const wish = wishFrom({
    remove: queryAll('remove'),
    version: queryAll('version'),
    register: query('register'),
  })
  const empty = isEmpty(wish)
  const asked = useAsked(
    empty ? undefined : JSON.stringify(wish),
    (signal) => readConsequences(wish, signal),
    {
      live: true,
      everyMs: 5_000,
    },
  )
  return (
    <Page title="What if" wide lead="See what a change would break. This page changes nothing.">
      {asOf.value !== undefined && (
        <p class="quiet">A simulation is about now, and not about {asOf.value}: the past has happened.</p>
      )}
      <div class="what-if">
        <ChangeForm wish={wish} />
        <div class="what-if-answer">
          {empty && (
            <Empty title="Choose a change.">
              <p>For example: remove a service, and see which others lose it.</p>
            </Empty>
          )}
          {asked.error !== undefined && <Failure error={asked.error} onRetry={asked.retry} />}
          {asked.data === undefined && asked.loading && !empty && <Loading what="the consequences" />}
          {asked.data !== undefined && (
            <>
              <Verdict found={asked.data} />
              <Commands found={asked.data} wish={wish} />
            </>
          )}
        </div>
      </div>
      {asked.data !== undefined && <ConsequenceDrawing found={asked.data} question={JSON.stringify(wish)} />}
    </Page>
  )
}

function ConsequenceDrawing({
  found,
  question,
}: {
  readonly found: Consequences
  readonly question: string
}) {
  const { read, changed, signs, strong, answer } = found
  const content = JSON.stringify([read.graph, [...signs], [...strong]])
  const part = useMemo(() => {
    const cycles = answer.newCycles.flat()
    return shownPart(read.graph, {
      from: [...changed, ...cycles, ...answer.unknownDependencies.map(({ dependency }) => dependency)],
      opened: [],
      follow: 'neededBy',
      // Without a loss, only those that need the change directly are of interest.
      depth: answer.affected > 0 ? 1_000 : 1,
      mostNodes: 200,
      mostEdges: 320,
    })
  }, [content])
  const arrangement = useMemo(
    () => ({ kind: 'steps', distances: part.distances, fromRight: true }) as const,
    [part],
  )
  const marks = useMemo(() => ({ signs, strong, hidden: part.hidden }), [part])
  if (part.graph.nodes.length === 0) return null
  return (
    <DrawingBoard
      graph={part.graph}
      title="What needs the changed services"
      question={question}
      arrangement={arrangement}
      marks={marks}
      colour="health"
      shown={`${part.graph.nodes.length.toLocaleString('en')} of ${read.total.nodes.toLocaleString('en')} shown`}
      heading={(distance) =>
        distance === 0 ? 'the change' : distance === 1 ? '1 step' : `${distance} steps`
      }
      exported={{}}
    />
  )
}

function Commands({ found, wish }: { readonly found: Consequences; readonly wish: ChangeWish }) {
  const address = apiUrl('/').href.replace(/\/$/, '')
  const cli = cliCommand(address, wish)
  const members = {
    remove: queryAll('remove'),
    version: queryAll('version'),
    register: query('register'),
    asOf: undefined,
  }
  return (
    <Panel title="Use it in a pipeline, or share it">
      <h3>Request</h3>
      <Copy text={sendCommand('POST', '/knowledge-graph/simulate', found.body)} />
      <h3>Command, with exit code 1 if something would break</h3>
      {cli.why === undefined ? <Copy text={cli.command} /> : <p class="quiet">{cli.why}</p>}
      <h3>This page</h3>
      <Copy text={hrefOf('/what-if', members)} label="Copy the link" />
    </Panel>
  )
}
