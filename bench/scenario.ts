import type { Comparison } from './compare.ts'

export interface BenchOptions {
  /** How often both sides are measured. */
  readonly rounds: number
  /** How long one measurement takes, in milliseconds. */
  readonly roundMs: number
  /** The largest number of services; smaller for a quick look. */
  readonly largest: number
  /** Tells what is going on. */
  readonly progress: (line: string) => void
}

/** A line of the result: what was measured, and what was wanted. */
export interface Row {
  readonly what: string
  readonly comparison?: Comparison
  /** What was measured, where it is not a ratio; otherwise the ratio is shown. */
  readonly measured?: string
  /** The least that is wanted, as text and as a test. */
  readonly bar: string
  readonly aim: string
  readonly reached: boolean
}

/** One claim about speed, measured. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** What a reader should know about the result, such as what a profile has shown. Markdown. */
  readonly note?: string
  run(options: BenchOptions): Promise<readonly Row[]>
}

/** The row of a ratio with a bar. */
export function ratioRow(what: string, comparison: Comparison, goal: { bar: number; aim: number }): Row {
  return {
    what,
    comparison,
    bar: `>= ${goal.bar}`,
    aim: String(goal.aim),
    reached: comparison.ratio.median >= goal.bar,
  }
}
