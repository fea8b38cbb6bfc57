import type { Interruption } from '../terminal/interruption.ts'
import { DryRun } from './dry-run.ts'
import { type ImportTask, plannedPruning, preparedItems } from './import-items.ts'
import { nameOf } from './item.ts'
import type { Change, Outcome } from './outcome.ts'
import { BroughtRecords } from './prune.ts'
import { namespacesOfItem } from './record-namespace.ts'
import type { Verdict } from './send-batches.ts'
import { storedRecords } from './stored-records.ts'
import { Totals } from './totals.ts'

/** Finds out what an import would do. Writes nothing. */
export async function rehearse(task: ImportTask): Promise<Outcome> {
  const { client, progress, report, interrupted, prune } = task
  const totals = new Totals()
  const changes: Change[] = []
  const take = (verdict: Verdict | undefined) => {
    if (verdict === undefined) return
    const { item, outcome } = verdict
    totals.add(verdict)
    report.add(verdict)
    if (outcome !== 'new' && outcome !== 'changed') return
    const [namespace] = item.about === undefined ? namespacesOfItem(item) : []
    changes.push({
      outcome,
      kind: item.about?.kind ?? 'service',
      name: nameOf(item) ?? '',
      ...(namespace === undefined ? {} : { namespace }),
      place: item.place,
    })
  }
  try {
    const run = new DryRun()
    for await (const item of preparedItems(task)) take(run.add(item))
    const brought = new BroughtRecords(task.source ?? '')
    for await (const { head, record } of storedRecords(client, interrupted)) {
      if (record === undefined) {
        brought.begin(head)
        continue
      }
      take(run.compare(record))
      if (prune) brought.add(record)
    }
    for (const verdict of run.rest()) take(verdict)
    const compared = { brought, content: run.content, isComplete: totals.isComplete }
    return { totals, changes, ...(prune ? await plannedPruning(task, compared) : {}) }
  } catch (thrown) {
    if (interrupted.aborted) return { totals, interruption: interrupted.reason as Interruption }
    throw thrown
  } finally {
    progress.stop()
  }
}
