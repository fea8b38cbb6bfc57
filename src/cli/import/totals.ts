import { countOf } from '../terminal/text-table.ts'
import type { Verdict } from './send-batches.ts'

/** What became of the items of an import. */
export class Totals {
  readonly counts: Record<Verdict['outcome'], number> = { new: 0, changed: 0, unchanged: 0, failed: 0 }
  /** Parts of a file of another program that could not be read. Nobody knows what they would have been. */
  unread = 0
  readonly #kinds = { service: 0, node: 0, edge: 0 }

  get total(): number {
    const { service, node, edge } = this.#kinds
    return service + node + edge
  }

  /** Whether everything in the file was imported, or could be. */
  get isComplete(): boolean {
    return this.counts.failed === 0 && this.unread === 0
  }

  add(verdict: Verdict): void {
    const { item, outcome } = verdict
    if (outcome === 'failed' && verdict.code === 'COORD_CLI_FORMAT') {
      this.unread += 1
      return
    }
    this.#kinds[item.about?.kind ?? 'service'] += 1
    this.counts[outcome] += 1
  }

  /** Such as `12 services and 3 nodes: 14 new, 0 changed, 1 unchanged, 0 failed`. */
  get text(): string {
    const { service, node, edge } = this.#kinds
    const all = [countOf(service, 'service'), countOf(node, 'node'), countOf(edge, 'edge')]
    const shown = all.filter((text, at) => at === 0 || !text.startsWith('0 '))
    const kinds = [shown.slice(0, -1).join(', '), shown.at(-1)].filter(Boolean).join(' and ')
    const { counts, unread } = this
    const outcomes = `${counts.new} new, ${counts.changed} changed, ${counts.unchanged} unchanged, ${counts.failed} failed`
    return `${kinds}: ${outcomes}${unread === 0 ? '' : `, ${unread} not read`}`
  }
}
