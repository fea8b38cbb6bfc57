import { api } from '../../../api/client.ts'
import type { Cycles, Unresolved } from '../../../api/types.ts'
import type { DrawnGraph } from '../../../drawing/model/drawn-graph.ts'
import { type Moment, readGraph } from '../data/read-graph.ts'
import { edgesAlong } from './edges-along.ts'
import type { GraphView, Problem } from './graph-view.ts'
import { mostNeeded } from './most-needed.ts'

/** As many of each kind as a person looks at. */
const MOST_OF_KIND = 20

/** What is wrong in the graph: what nobody registered, services that are not well, and cycles, each with its surroundings. */
export async function readProblems(moment: Moment, depth: number, signal: AbortSignal): Promise<GraphView> {
  const query = { ...moment, limit: MOST_OF_KIND }
  const [unresolved, cycles] = await Promise.all([
    api.get<Unresolved>('/knowledge-graph/unresolved', { query, signal }),
    api.get<Cycles>('/knowledge-graph/cycles', { query, signal }),
  ])
  const circles = cycles.cycles.map(({ example }) => example)
  const centres = [...unresolved.nodes.map(({ id }) => id), ...circles.flat()]
  const read = await readGraph(moment, { centres, follow: 'both', depth: depth + 1 }, signal)
  const problems = [
    ...unresolvedProblems(unresolved),
    ...unwellProblems(read.graph),
    ...cycleProblems(cycles),
  ]
  if (problems.length === 0) return withoutProblems(moment, signal)
  const strong = new Set(circles.flatMap((circle) => edgesAlong(read.graph, circle, 'round')))
  const counts = countsOf(problems, { unresolved: unresolved.total, cycle: cycles.total })
  return {
    read,
    // What is beside a missing node is what misses it.
    from: [
      ...new Set([
        ...problems.map(({ node }) => node),
        ...unresolved.nodes.flatMap((one) => one.referencedBy.slice(0, 8)),
        ...circles.flat(),
      ]),
    ],
    follow: 'both',
    depth,
    steps: false,
    strong,
    sentence: `${counts}.`,
    problems,
  }
}

function unresolvedProblems({ nodes }: Unresolved): readonly Problem[] {
  return nodes.map(({ id, label, type, references, elsewhere }) => ({
    kind: 'unresolved',
    node: id,
    title: `${label} is not registered`,
    detail: `${count(references, 'node needs', 'nodes need')} this ${type}, and nobody declares it.${elsewhere === undefined ? '' : ` It exists in ${elsewhere.join(', ')}.`}`,
  }))
}

function unwellProblems({ nodes }: DrawnGraph): readonly Problem[] {
  return (['down', 'expired'] as const).flatMap((health) =>
    nodes
      .filter((node) => node.health === health)
      .slice(0, MOST_OF_KIND)
      .map(({ id, label }) => ({
        kind: health,
        node: id,
        title: `${label} is ${health}`,
        detail:
          health === 'down'
            ? 'Its last heartbeat says that it does not work.'
            : 'It has sent no heartbeat in time.',
      })),
  )
}

function cycleProblems({ cycles }: Cycles): readonly Problem[] {
  return cycles.map(({ size, example }) => ({
    kind: 'cycle',
    node: example[0] ?? '',
    title: `${size} nodes need each other`,
    detail: 'None of them can start first. The drawing highlights a shortest cycle.',
  }))
}

async function withoutProblems(moment: Moment, signal: AbortSignal): Promise<GraphView> {
  const centre = await mostNeeded(moment, signal)
  const centres = centre === undefined ? [] : [centre.id]
  const read = await readGraph(moment, { centres, follow: 'both', depth: 2 }, signal)
  const nothing = 'No problems: everything that is needed is registered, and nothing needs itself.'
  return {
    read,
    from: centres,
    ...(centre === undefined ? {} : { centre: centre.id }),
    follow: 'both',
    depth: 1,
    steps: false,
    sentence:
      centre === undefined
        ? nothing
        : `${nothing} Shown is ${centre.label}, which most others need, with its neighbours.`,
    problems: [],
  }
}

function countsOf(
  problems: readonly Problem[],
  totals: { readonly unresolved: number; readonly cycle: number },
): string {
  const of = (kind: Problem['kind']) => problems.filter((problem) => problem.kind === kind).length
  const parts = [
    totals.unresolved > 0 ? `${count(totals.unresolved, 'node is', 'nodes are')} not registered` : '',
    of('down') > 0 ? count(of('down'), 'service is down', 'services are down') : '',
    of('expired') > 0 ? count(of('expired'), 'service has expired', 'services have expired') : '',
    totals.cycle > 0 ? count(totals.cycle, 'cycle of dependencies', 'cycles of dependencies') : '',
  ].filter((part) => part !== '')
  return parts.join(', ')
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}
