import type { DiffAnswer } from '../../graph/past/diff-tracker.ts'
import type { Completeness } from '../../graph/questions/answer.ts'
import type { Answers } from '../../graph/questions/answer-question.ts'
import type { SimulateAnswer } from '../../graph/simulate/simulate.ts'
import type { ViolatedRange } from '../../graph/simulate/violated-ranges.ts'
import { authorText } from '../terminal/author-text.ts'
import { countOf, printable, textTable } from '../terminal/text-table.ts'

/** Answers of the graph as tables for people. Each begins with a sentence that summarizes it. */

export interface AtRevision {
  readonly revision: number
}

type Answer<Q extends keyof Answers> = Answers[Q] & AtRevision

/** The restrictions of a question. The text of the answer names them, because it is true only with them. */
export interface Narrowed {
  readonly type?: string | undefined
  readonly depth?: string | undefined
}

export function renderReach(
  name: 'impact' | 'dependencies',
  answer: Answer<'impact'>,
  narrowed: Narrowed = {},
): string {
  const { of, nodes, total, revision } = answer
  const found = `${countOf(total, 'node')}${narrowing(narrowed)}`
  const finding = name === 'impact' ? `${found} cannot do without ${of}` : `${of} cannot do without ${found}`
  const rows = nodes.map(({ id, distance, via }) => [String(distance), id, via.join(' > ')])
  return page(`${finding}, at revision ${revision}.`, [['STEPS', 'NODE', 'BY WAY OF'], ...rows], answer)
}

export function renderNeighbors(answer: Answer<'neighbors'>): string {
  const { of, edges, total, revision } = answer
  const rows = edges.map(({ source, type, target, origin }) => [source, type, target, origin])
  const sentence = `${countOf(total, 'edge')} at ${of}, at revision ${revision}.`
  return page(sentence, [['SOURCE', 'TYPE', 'TARGET', 'ORIGIN'], ...rows], answer)
}

export function renderPaths(answer: Answer<'paths'>, narrowed: Narrowed = {}): string {
  const { from, to, paths, revision, complete } = answer
  if (paths.length === 0) {
    const finding = complete ? `${from} does not need ${to}` : `Whether ${from} needs ${to} was not found out`
    return page(`${finding}${narrowing(narrowed)}, at revision ${revision}.`, [], answer)
  }
  const rows = paths.map(({ length, nodes }) => [String(length), nodes.join(' > ')])
  return page(`${from} needs ${to}, at revision ${revision}.`, [['STEPS', 'PATH'], ...rows], answer)
}

export function renderCycles(answer: Answer<'cycles'>): string {
  const rows = answer.cycles.map(({ size, example }) => [String(size), closed(example)])
  const sentence = `${countOf(answer.total, 'cycle')} at revision ${answer.revision}.`
  return page(sentence, [['NODES', 'A SHORTEST CIRCLE'], ...rows], answer)
}

export function renderCritical(answer: Answer<'critical'>): string {
  const { articulationPoints, articulationPointsTotal, mostDependedOn, revision } = answer
  const cuts = articulationPoints.map(({ id, cutsOff }) => [id, String(cutsOff)])
  const needed = mostDependedOn.map(({ id, direct, dependents }) => [id, String(direct), String(dependents)])
  const sentence = `${countOf(articulationPointsTotal, 'node')} without which the graph falls apart, at revision ${revision}.`
  const table = page('What most others need:', [['NODE', 'DIRECTLY', 'ALL'], ...needed], { complete: true })
  return `${page(sentence, [['NODE', 'CUTS OFF'], ...cuts], answer)}\n${table}`
}

export function renderUnresolved(answer: Answer<'unresolved'>): string {
  const { nodes, total, revision } = answer
  const rows = nodes.map(({ id, references, referencedBy }) => [
    id,
    String(references),
    referencedBy.join(', '),
  ])
  const sentence = `${countOf(total, 'node')} that nobody has registered, at revision ${revision}.`
  return page(sentence, [['NODE', 'REFERENCES', 'BY'], ...rows], answer)
}

export function renderOrphans(answer: Answer<'orphans'>): string {
  const rows = answer.nodes.map(({ id }) => [id])
  const sentence = `${countOf(answer.total, 'node')} without any edge, at revision ${answer.revision}.`
  return page(sentence, [['NODE'], ...rows], answer)
}

export function renderDiff(answer: DiffAnswer & { readonly from: number; readonly to: number }): string {
  const { from, to, nodes, edges, nodesTotal, edgesTotal, commits } = answer
  const author = new Map(
    commits.map(({ revision, actor, unproven }) => [revision, authorText(actor, unproven)]),
  )
  const rows = [...nodes, ...edges].map(({ change, id, revisions }) => {
    const last = revisions.at(-1)
    return [change, id, revisions.join(','), last === undefined ? '' : (author.get(last) ?? '')]
  })
  const sentence = `${countOf(nodesTotal, 'node')} and ${countOf(edgesTotal, 'edge')} differ between revision ${from} and ${to}.`
  return page(sentence, [['CHANGE', 'NODE OR EDGE', 'REVISIONS', 'BY'], ...rows], answer)
}

export function renderSimulation(answer: SimulateAnswer & AtRevision): string {
  const { complete, truncated, revision } = answer
  const note = complete ? '' : `${incompleteSimulation[truncated ?? 'limit']}\n`
  const unjudged = renderUnjudged(answer)
  if (answer.safe) {
    const finding = complete ? 'Nothing would break' : 'Nothing was found that would break'
    return `${printable(`${finding}, at revision ${revision}.`)}\n${unjudged}${note}`
  }
  const rows = [
    ...answer.brokenConsumers.map(({ id, loses }) => ['loses', id, loses]),
    ...answer.violatedRanges.map((range) => ['version', range.consumer, rangeText(range)]),
    ...answer.newCycles.map((cycle) => ['cycle', cycle[0] ?? '', closed(cycle)]),
    ...answer.unknownDependencies.map(({ consumer, dependency }) => ['unknown', consumer, dependency]),
  ]
  const lost = `${countOf(answer.affected, 'node')} would lose something, directly or through others`
  const sentence = `${countOf(rows.length, 'problem')} at revision ${revision}; ${lost}.`
  return `${printable(sentence)}\n${textTable([['PROBLEM', 'NODE', 'WHAT'], ...rows])}${unjudged}${note}`
}

/** The ranges that may be fulfilled or not. An older coordinator sends none. */
function renderUnjudged({ unjudged = 0, unjudgedRanges = [] }: Partial<SimulateAnswer>): string {
  if (unjudged === 0) return ''
  const rows = unjudgedRanges.map((range) => ['unjudged', range.consumer, rangeText(range)])
  const sentence = `${countOf(unjudged, 'range')} cannot be judged, because a version or the range cannot be compared:`
  return `${sentence}\n${textTable([['VERDICT', 'NODE', 'WHAT'], ...rows])}`
}

function rangeText({ dependency, range, versions, versionsTotal }: ViolatedRange): string {
  const more = versionsTotal - versions.length
  return `${dependency} ${range}: there would be ${versions.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const incompleteSimulation = {
  limit: 'There are more than the first 1,000 of a kind that are listed.',
  budget: 'Not every new circle was looked for. Ask about fewer services at once.',
  size: 'There is more than an answer may hold.',
} as const satisfies Record<NonNullable<Completeness['truncated']>, string>

const incomplete = {
  limit: 'ask with a larger --limit.',
  budget: 'the search was given up before it had found everything. Ask for less, such as with --type.',
  size: 'the answer would be too large. Ask for less, such as with a smaller --depth.',
} as const satisfies Record<NonNullable<Completeness['truncated']>, string>

function page(
  sentence: string,
  rows: readonly (readonly string[])[],
  { complete, truncated }: Completeness,
): string {
  const table = rows.length > 1 ? textTable(rows) : ''
  const note = complete ? '' : `The list is not complete: ${incomplete[truncated ?? 'limit']}\n`
  return `${printable(sentence)}\n${table}${note}`
}

function closed(circle: readonly string[]): string {
  return [...circle, ...circle.slice(0, 1)].join(' > ')
}

function narrowing({ type, depth }: Narrowed): string {
  return `${type === undefined ? '' : ` of type ${type}`}${depth === undefined ? '' : ` within depth ${depth}`}`
}
