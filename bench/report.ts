import { cpus, totalmem } from 'node:os'
import type { Comparison, Figures, Spread } from './compare.ts'
import type { Row, Scenario } from './scenario.ts'

export interface Section {
  readonly scenario: Scenario
  readonly rows: readonly Row[]
}

/** The text of `docs/benchmarks.md`. */
export function report(
  sections: readonly Section[],
  { rounds, roundMs }: { rounds: number; roundMs: number },
): string {
  const [cpu] = cpus()
  return [
    '# Benchmarks',
    '',
    '`npm run bench` writes this file. The coordinator and a peer (a program to compare it with) run in turn on the same machine. The',
    'result is their ratio: the median over all rounds, with the smallest and the largest ratio in brackets. The bar is',
    'the result that the coordinator has to reach; the aim is the result that we want. Rates are requests per second. Latencies are',
    'medians over the rounds. The load comes from a separate process on the same machine.',
    '[scale.md](scale.md) says what follows from them for the size of a machine.',
    '',
    `${cpus().length} cores (${cpu?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.versions.node},`,
    `${process.platform}; ${rounds} rounds of ${roundMs / 1_000} s; ${new Date().toISOString().slice(0, 10)}.`,
    '',
    ...sections.flatMap(sectionLines),
  ].join('\n')
}

/** What a scenario found, for those who wait for the next one. */
export function summary(rows: readonly Row[]): string {
  return rows.map((row) => `  ${row.what}: ${resultOf(row)}`).join('\n')
}

function sectionLines({ scenario, rows }: Section): string[] {
  const head = ['what', 'result', 'bar', 'aim', '']
  const table = rows.map((row) => [
    row.what,
    resultOf(row),
    row.bar,
    row.aim,
    row.bar === '' ? '' : row.reached ? 'reached' : '**missed**',
  ])
  const compared = rows.flatMap(({ comparison }) => (comparison === undefined ? [] : [comparison]))
  return [
    `## ${scenario.title}`,
    '',
    ...markdown(head, table),
    '',
    ...(compared.length === 0 ? [] : [...details(compared), '']),
    ...(scenario.note === undefined ? [] : [scenario.note, '']),
  ]
}

function details(comparisons: readonly Comparison[]): string[] {
  const rows = comparisons.flatMap(({ product, peer }) => [product, peer].map(figureCells))
  return markdown(['side', 'per second', 'p50', 'p99'], rows)
}

function figureCells({ name, perSecond, p50Ms, p99Ms }: Figures): string[] {
  return [name, spreadText(perSecond, 0), `${p50Ms.toFixed(2)} ms`, `${p99Ms.toFixed(2)} ms`]
}

function resultOf(row: Row): string {
  return row.comparison === undefined ? (row.measured ?? '') : spreadText(row.comparison.ratio, 2)
}

function spreadText({ median, min, max }: Spread, digits: number): string {
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(median)} (${text(min)} - ${text(max)})`
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}
