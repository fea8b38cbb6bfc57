import type { DiffAnswer } from '../graph/past/diff-tracker.ts'
import type { Completeness } from '../graph/questions/answer.ts'
import type { Answers } from '../graph/questions/answer-question.ts'
import type { SimulateAnswer } from '../graph/simulate/simulate.ts'
import { printable, textTable } from './text-table.ts'

/** Answers of the graph as tables for people. Each begins with one sentence that says the whole. */

interface AtRevision {
  readonly revision: number
}

/** What the question was narrowed to: without it the sentence would say too much. */
interface Narrowed {
  readonly type?: string | undefined
  readonly depth?: string | undefined
}

export function renderReach(
  name: 'impact' | 'dependencies',
  { of, nodes, total, revision, ...rest }: Answers['impact'] & AtRevision,
  narrowed: Narrowed = {},
): string {
  const what = `${count(total, 'node')}${narrowing(narrowed)}`
  const sentence =
    name === 'impact'
      ? `${what} cannot do without ${of}, at revision ${revision}.`
      : `${of} cannot do without ${what}, at revision ${revision}.`
  const rows = nodes.map(({ id, distance, via }) => [String(distance), id, via.join(' > ')])
  return page(sentence, [['STEPS', 'NODE', 'BY WAY OF'], ...rows], rest)
}

export function renderNeighbors({
  of,
  edges,
  total,
  revision,
  ...rest
}: Answers['neighbors'] & AtRevision): string {
  const rows = edges.map(({ source, type, target, origin }) => [source, type, target, origin])
  return page(
    `${count(total, 'edge')} at ${of}, at revision ${revision}.`,
    [['SOURCE', 'TYPE', 'TARGET', 'ORIGIN'], ...rows],
    rest,
  )
}

export function renderPaths(
  { from, to, paths, revision, ...rest }: Answers['paths'] & AtRevision,
  narrowed: Narrowed = {},
): string {
  if (paths.length === 0) {
    const finding = rest.complete
      ? `${from} does not need ${to}`
      : `Whether ${from} needs ${to} was not found out`
    return page(`${finding}${narrowing(narrowed)}, at revision ${revision}.`, [], rest)
  }
  const rows = paths.map(({ length, nodes }) => [String(length), nodes.join(' > ')])
  return page(`${from} needs ${to}, at revision ${revision}.`, [['STEPS', 'PATH'], ...rows], rest)
}

export function renderCycles({ cycles, total, revision, ...rest }: Answers['cycles'] & AtRevision): string {
  const rows = cycles.map(({ size, example }) => [String(size), [...example, example[0] ?? ''].join(' > ')])
  return page(
    `${count(total, 'cycle')} at revision ${revision}.`,
    [['NODES', 'A SHORTEST CIRCLE'], ...rows],
    rest,
  )
}

export function renderCritical(answer: Answers['critical'] & AtRevision): string {
  const { articulationPoints, articulationPointsTotal, mostDependedOn, revision } = answer
  const cuts = articulationPoints.map(({ id, cutsOff }) => [id, String(cutsOff)])
  const needed = mostDependedOn.map(({ id, direct, dependents }) => [id, String(direct), String(dependents)])
  return (
    page(
      `${count(articulationPointsTotal, 'node')} without which the graph falls apart, at revision ${revision}.`,
      [['NODE', 'CUTS OFF'], ...cuts],
      answer,
    ) + page('\nWhat most others need:', [['NODE', 'DIRECTLY', 'ALL'], ...needed], { complete: true })
  )
}

export function renderUnresolved(answer: Answers['unresolved'] & AtRevision): string {
  const { nodes, total, revision } = answer
  const rows = nodes.map(({ id, references, referencedBy }) => [
    id,
    String(references),
    referencedBy.join(', '),
  ])
  return page(
    `${count(total, 'node')} that nobody states, at revision ${revision}.`,
    [['NODE', 'REFERENCES', 'BY'], ...rows],
    answer,
  )
}

export function renderOrphans({ nodes, total, revision, ...rest }: Answers['orphans'] & AtRevision): string {
  const rows = nodes.map(({ id }) => [id])
  return page(`${count(total, 'node')} without any edge, at revision ${revision}.`, [['NODE'], ...rows], rest)
}

export function renderDiff(answer: DiffAnswer & { readonly from: number; readonly to: number }): string {
  const { from, to, nodes, edges, nodesTotal, edgesTotal, commits } = answer
  const author = new Map(commits.map(({ revision, actor }) => [revision, actor]))
  const rows = [...nodes, ...edges].map(({ change, id, revisions }) => {
    const last = revisions.at(-1)
    return [change, id, revisions.join(','), last === undefined ? '' : (author.get(last) ?? '')]
  })
  const sentence = `${count(nodesTotal, 'node')} and ${count(edgesTotal, 'edge')} differ between revision ${from} and ${to}.`
  return page(sentence, [['CHANGE', 'NODE OR EDGE', 'REVISIONS', 'BY'], ...rows], answer)
}

export function renderSimulation(answer: SimulateAnswer & AtRevision): string {
  const { complete, truncated, revision } = answer
  const note = complete ? '' : `${incompleteSimulation[truncated ?? 'limit']}\n`
  if (answer.safe) {
    const finding = complete ? 'Nothing would break' : 'Nothing was found that would break'
    return `${line(`${finding}, at revision ${revision}.`)}${note}`
  }
  const rows = [
    ...answer.brokenConsumers.map(({ id, loses }) => ['loses', id, loses]),
    ...answer.violatedRanges.map(({ consumer, dependency, range, versions, versionsTotal }) => [
      'version',
      consumer,
      `${dependency} ${range}: there would be ${versions.join(', ')}${versionsTotal > versions.length ? ` and ${versionsTotal - versions.length} more` : ''}`,
    ]),
    ...answer.newCycles.map((cycle) => ['cycle', cycle[0] ?? '', [...cycle, cycle[0] ?? ''].join(' > ')]),
    ...answer.unknownDependencies.map(({ consumer, dependency }) => ['unknown', consumer, dependency]),
  ]
  const lost = `${count(answer.affected, 'node')} would lose something, directly or through others`
  const sentence = `${count(rows.length, 'problem')} at revision ${revision}; ${lost}.`
  return `${line(sentence)}${textTable([['PROBLEM', 'NODE', 'WHAT'], ...rows])}${note}`
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
  return `${line(sentence)}${table}${note}`
}

function narrowing({ type, depth }: Narrowed): string {
  return `${type === undefined ? '' : ` of type ${type}`}${depth === undefined ? '' : ` within depth ${depth}`}`
}

function line(text: string): string {
  return `${text.startsWith('\n') ? '\n' : ''}${printable(text.trimStart())}\n`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
