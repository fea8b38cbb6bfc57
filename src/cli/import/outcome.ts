import type { CoordinatorError } from '../../errors.ts'
import type { Interruption } from '../terminal/interruption.ts'
import { textTable } from '../terminal/text-table.ts'
import type { Pruning } from './prune.ts'
import { nameInNamespace } from './record-namespace.ts'
import type { Report } from './report.ts'
import type { Totals } from './totals.ts'

/** Something that an import would write. */
export interface Change {
  readonly outcome: 'new' | 'changed'
  readonly kind: 'service' | 'node' | 'edge'
  readonly name: string
  /** That of a service. The id of a node or an edge says its own. */
  readonly namespace?: string
  readonly place: string
}

/** What an import did, or what it would do. */
export interface Outcome {
  readonly totals: Totals
  /** Only of a rehearsal. */
  readonly changes?: readonly Change[]
  readonly pruning?: Pruning
  /** Why nothing was removed. */
  readonly refusal?: CoordinatorError
  /** The signal that ended it. */
  readonly interruption?: Interruption
}

/** The result for programs. */
export function resultOf({ totals, changes, pruning, refusal, interruption }: Outcome, report: Report) {
  const named = ({ kind, id, name, why }: { kind: string; id: string; name: string; why?: string }) => ({
    ...{ kind, id, name },
    ...(why === undefined ? {} : { why }),
  })
  return {
    total: totals.total,
    ...totals.counts,
    notRead: totals.unread,
    failures: report.failures,
    warnings: report.warnings,
    warningsTotal: report.warningsTotal,
    ...(changes === undefined ? {} : { changes }),
    ...(pruning === undefined
      ? {}
      : { removed: pruning.removed.map(named), kept: pruning.spared.map(named) }),
    ...(refusal === undefined ? {} : { notRemoved: refusal.detail }),
    ...(interruption === undefined ? {} : { interrupted: interruption.signal }),
  }
}

/** The result for people, in one line. */
export function summaryOf({ totals, pruning }: Outcome): string {
  return `${totals.text}${pruning === undefined ? '' : `, ${pruning.removed.length} removed`}`
}

/** What a rehearsal found, one line for each thing. */
export function changesTable({ changes = [], pruning }: Outcome): string {
  return textTable([
    ...changes.map(({ outcome, kind, name, namespace, place }) => [
      outcome,
      kind,
      nameInNamespace(name, namespace),
      place,
    ]),
    ...(pruning?.removed ?? []).map(({ kind, name }) => ['removed', kind, name]),
    ...(pruning?.spared ?? []).map(({ kind, name, why }) => ['kept', kind, name, why]),
  ])
}
