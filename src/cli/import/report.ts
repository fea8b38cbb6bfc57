import type { CoordinatorClient } from '../context/coordinator-client.ts'
import { countOf, printable } from '../terminal/text-table.ts'
import { GraphWarnings, type PlacedWarning } from './graph-warnings.ts'
import { nameOf } from './item.ts'
import type { Progress } from './progress.ts'
import type { Verdict } from './send-batches.ts'

/** Further warnings of one kind are only counted. */
const shownOfKind = 3
/** How many warnings are in the JSON. The others are only counted. */
const listedMax = 1_000

export interface Failure {
  readonly place: string
  readonly name?: string | undefined
  readonly code: string
  readonly reason: string
}

/** Reports failures while they come, and warnings once they can be judged. */
export class Report {
  readonly failures: Failure[] = []
  readonly warnings: PlacedWarning[] = []
  warningsTotal = 0
  readonly #progress: Progress
  readonly #keep: boolean
  readonly #waiting = new GraphWarnings()
  readonly #counts = new Map<string, number>()

  /** @param keep whether failures and warnings are collected instead of printed */
  constructor(progress: Progress, keep: boolean) {
    this.#progress = progress
    this.#keep = keep
  }

  add(verdict: Verdict): void {
    const { item } = verdict
    const about = { place: item.place, name: nameOf(item) }
    if (verdict.outcome === 'failed')
      return this.#fail({ ...about, code: verdict.code, reason: verdict.reason })
    this.#waiting.noteImported(item)
    for (const warning of verdict.warnings) {
      const placed = { ...about, ...warning }
      if (!this.#waiting.add(item, placed)) this.#warn(placed)
    }
  }

  /** Reports what is not known about something in a file of another program. All of these are shown: each is about another part. */
  addDetail(place: string, message: string): void {
    if (!this.#keep) return this.#note(`${place}: ${message}`)
    this.warningsTotal += 1
    if (this.warnings.length < listedMax) this.warnings.push({ place, code: 'not_read', message })
  }

  /** Judges what had to wait for the end of the input. */
  async end(client: CoordinatorClient): Promise<void> {
    for (const { code, first, count } of await this.#waiting.settle(client)) {
      for (const warning of first) this.#warn(warning)
      this.#count(code, count - first.length)
    }
    for (const [code, count] of this.#counts)
      if (count > shownOfKind && !this.#keep)
        this.#note(`and ${countOf(count - shownOfKind, 'more warning')} of this kind [${code}]`)
  }

  /** Whether there was a warning of this kind that is still true. */
  warnedOf(code: string): boolean {
    return (this.#counts.get(code) ?? 0) > 0
  }

  #fail(failure: Failure): void {
    const { code, reason } = failure
    if (this.#keep) this.failures.push(failure)
    else this.#note(`${shown(failure)}: ${reason} [${code}]`)
  }

  #warn(warning: PlacedWarning): void {
    const { code, message } = warning
    const count = this.#count(code, 1)
    if (this.#keep && this.warnings.length < listedMax) this.warnings.push(warning)
    if (!this.#keep && count <= shownOfKind) this.#note(`${shown(warning)}: warning: ${message} [${code}]`)
  }

  /** @returns how many there are of the kind now */
  #count(code: string, more: number): number {
    const count = (this.#counts.get(code) ?? 0) + more
    this.#counts.set(code, count)
    this.warningsTotal += more
    return count
  }

  #note(line: string): void {
    this.#progress.note(printable(line))
  }
}

function shown({ place, name }: { readonly place: string; readonly name?: string | undefined }): string {
  return name === undefined ? place : `${place} (${name.slice(0, 100)})`
}
