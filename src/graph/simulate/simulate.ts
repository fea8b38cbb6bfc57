import type { Records } from '../../live/view/record-table.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { newCycles } from '../analysis/new-cycles.ts'
import type { GraphProjection } from '../derive/graph-projection.ts'
import type { NodeName } from '../model/node-name.ts'
import { COMPLETE, type Completeness, cutBy } from '../questions/answer.ts'
import { type BrokenConsumer, brokenConsumers, countAffected, isProvided, nameOf } from './lost-providers.ts'
import { type SimulatedChange, SimulatedRecords } from './simulated-records.ts'
import {
  type Declaring,
  dependentsOf,
  judgeRanges,
  servicesByName,
  type ViolatedRange,
} from './violated-ranges.ts'

export interface SimulateAnswer extends Completeness {
  /**
   * Nodes whose last provider would be gone: no service with the name, or none that exposes, publishes, provides or owns it. An assertion
   * about them does not count as a provider.
   */
  readonly lostProviders: readonly NodeName[]
  /** The nodes that need those directly. */
  readonly brokenConsumers: readonly BrokenConsumer[]
  /** How many nodes need a lost node, directly or through others. */
  readonly affected: number
  /** Ranges that a version fulfills now, but none after the change, and ranges of a new service that no version fulfills. */
  readonly violatedRanges: readonly ViolatedRange[]
  /** How many ranges about changed services can be neither fulfilled nor violated, such as `^1` where only `latest` runs. */
  readonly unjudged: number
  readonly unjudgedRanges: readonly ViolatedRange[]
  /** Cycles that a new edge would close. Each is a list of ids: each node needs the next one, and the last needs the first. */
  readonly newCycles: readonly (readonly string[])[]
  /** Dependencies of new services on names that nobody has registered. */
  readonly unknownDependencies: readonly { readonly consumer: string; readonly dependency: string }[]
  /** Whether no service would lose anything, as far as the search went, and as far as ranges can be judged: see `complete` and `unjudged`. */
  readonly safe: boolean
}

/** How many items each list of the answer may have. */
const MAX_LISTED = 1_000
/** The largest change that is made in the live graph while others wait, in UTF-16 code units of records: some fifty services. */
const SMALL_SIZE = 65_536

/** Whether making the changes and taking them back takes only a few dozen milliseconds. */
export function isSmall(changes: readonly SimulatedChange[]): boolean {
  let size = 0
  for (const { before, after } of changes) size += (before?.data.length ?? 0) + (after?.data.length ?? 0)
  return size <= SMALL_SIZE
}

/**
 * Finds out what would happen if records changed. The first step makes the changes in the graph, looks at the result, and takes
 * the changes back. Nobody else sees them. The answer is therefore made by the same code as the real graph. The other steps read
 * records of that moment, but not the graph.
 *
 * @param records the records of the graph
 * @throws nothing of its own; the graph is always unchanged afterwards
 */
export function* simulate(
  graph: GraphProjection,
  records: Records,
  changes: readonly SimulatedChange[],
): Steps<SimulateAnswer> {
  const { lost, broken, affected, unknown, cycles, evidence } = tryOut(
    graph,
    new SimulatedRecords(graph, records, changes),
  )
  const { violated, unjudged } = yield* judgeRanges(evidence)
  const harm = [broken, violated, cycles.found, unknown]
  const long = [lost, unjudged, ...harm].some(({ length }) => length > MAX_LISTED)
  return {
    safe: harm.every(({ length }) => length === 0),
    lostProviders: lost.slice(0, MAX_LISTED),
    brokenConsumers: broken.slice(0, MAX_LISTED),
    affected,
    violatedRanges: violated.slice(0, MAX_LISTED),
    unjudged: unjudged.length,
    unjudgedRanges: unjudged.slice(0, MAX_LISTED),
    newCycles: cycles.found.slice(0, MAX_LISTED),
    unknownDependencies: unknown.slice(0, MAX_LISTED),
    ...(long ? cutBy('limit') : cycles.complete ? COMPLETE : cutBy('budget')),
  }
}

function tryOut(graph: GraphProjection, simulated: SimulatedRecords) {
  const { touchedIds, newEdges } = simulated
  const provided = [...touchedIds].filter((id) => isProvided(graph, id))
  const before = servicesByName(graph, touchedIds)
  try {
    simulated.apply()
    const lost = provided.filter((id) => !isProvided(graph, id)).sort()
    return {
      // One more than the answer lists shows that the list is cut.
      lost: lost.slice(0, MAX_LISTED + 1).map((id) => nameOf(graph, id)),
      broken: brokenConsumers(graph, lost, MAX_LISTED + 1),
      affected: countAffected(graph, lost),
      unknown: newEdges
        .filter(({ type, target }) => type === 'depends_on' && !graph.isResolved(graph.find(target)))
        .map(({ source, target }) => ({ consumer: source, dependency: target })),
      cycles: newCycles(graph, newEdges),
      evidence: {
        before,
        after: servicesByName(graph, touchedIds),
        declaring: declaringRecords(graph, simulated),
      },
    }
  } finally {
    simulated.takeBack()
  }
}

/**
 * Records that may declare ranges about changed services, or belong to such services. Call it while the changes are made: a service that is
 * gone altogether has no range that could be violated.
 */
function declaringRecords(
  graph: GraphProjection,
  { versions, changes }: SimulatedRecords,
): readonly Declaring[] {
  const changed = new Set(versions.map(({ record }) => record.id))
  const nodes = [...new Set(versions.map(({ node }) => graph.find(node)))]
  const left = nodes.filter((node) => graph.servicesOf(node).length > 0)
  const declaring: Declaring[] = []
  for (const node of new Set([...left, ...dependentsOf(graph, left)]))
    for (const record of graph.servicesOf(node))
      if (!changed.has(record.id))
        declaring.push({ consumer: graph.idOf(node), record, before: true, after: true })
  for (const change of changes)
    for (const when of ['before', 'after'] as const) {
      const version = change[when]
      if (version === undefined) continue
      const { node, record } = version
      declaring.push({ consumer: node, record, before: when === 'before', after: when === 'after' })
    }
  return declaring
}
