import { countOf } from '../terminal/text-table.ts'
import type { Verdict } from './send-batches.ts'

/** What became of the items of an import. */
export class Totals {
  readonly counts: Record<Verdict['outcome'], number> = { new: 0, changed: 0, unchanged: 0, failed: 0 }
  readonly #kinds = { service: 0, node: 0, edge: 0 }

  get total(): number {
    const { service, node, edge } = this.#kinds
    return service + node + edge
  }

  add({ item, outcome }: Verdict): void {
    this.#kinds[item.about?.kind ?? 'service'] += 1
    this.counts[outcome] += 1
  }

  /** Such as `12 services and 3 nodes: 14 new, 0 changed, 1 unchanged, 0 failed`. */
  get text(): string {
    const { service, node, edge } = this.#kinds
    const all = [countOf(service, 'service'), countOf(node, 'node'), countOf(edge, 'edge')]
    const shown = all.filter((text, at) => at === 0 || !text.startsWith('0 '))
    const kinds = [shown.slice(0, -1).join(', '), shown.at(-1)].filter(Boolean).join(' and ')
    const { counts } = this
    return `${kinds}: ${counts.new} new, ${counts.changed} changed, ${counts.unchanged} unchanged, ${counts.failed} failed`
  }
}
