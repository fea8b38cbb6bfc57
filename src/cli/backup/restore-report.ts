import type { RestorePlan } from '../../archive/inventory/restore-plan.ts'
import type { RestoreReport } from '../../archive/restore/restore-progress.ts'
import { countOf } from '../terminal/text-table.ts'
import { durationText, sizeText, timeText } from './sizes.ts'

/** What programs get of a plan. */
export function planValue(plan: RestorePlan) {
  const { lineage, base, logs, passedBases, target, bytes, access } = plan
  return {
    dryRun: true,
    ...{ lineage, revision: target.revision, baseRevision: base.revision, bytes },
    files: [...base.files, ...logs].map(({ name }) => name),
    comparedBases: passedBases.map(({ revision }) => revision),
    tokens: access?.name ?? null,
  }
}

export function renderPlan({ lineage, base, logs, target, bytes }: RestorePlan): string {
  const revisions = countOf(target.revision - base.revision, 'later revision')
  const files = countOf(base.files.length + logs.length, 'file')
  return [
    `Would restore revision ${target.revision} of the history ${lineage}:`,
    `  all records at revision ${base.revision}, and ${revisions}, from ${files} (${sizeText(bytes)}).`,
    base.revision === 0
      ? '  The history of the records would be complete.'
      : `  The history of the records would begin at revision ${base.revision}.`,
    'Nothing was written.',
    '',
  ].join('\n')
}

/** What programs get of a restore. */
export function reportValue({ at, tookMs, ...report }: RestoreReport) {
  return { ...report, at: timeText(at), tookMs }
}

/** What was done, and what to do next. @param database without credentials */
export function renderReport(report: RestoreReport, database: string): string {
  const { revision, at, previous, lineage, floor, activeTokens, bytes, tookMs, comparedBases } = report
  const compared =
    comparedBases.length === 0 ? '' : `, compared with ${countOf(comparedBases.length, 'base')}`
  const history = floor === 0 ? 'is complete' : `begins at revision ${floor}`
  return [
    `Restored revision ${revision} of ${timeText(at)} into ${database}.`,
    `Read ${sizeText(bytes)} in ${durationText(tookMs)}${compared}. The history of the records ${history}.`,
    `The history goes on with the lineage ${lineage} (before: ${previous}).`,
    activeTokens === 0
      ? 'No token is active.'
      : `${countOf(activeTokens, 'token')} can be used. What was revoked stays revoked.`,
    '',
    'Next:',
    `  1. Start the coordinators on this database: coordinator serve`,
    '  2. Look whether it is what you wanted: coordinator status, coordinator services, coordinator changes --last 20',
    '  3. Tell clients that keep ETags, revisions or positions to read anew. They get COORD_LINEAGE_CHANGED until they do.',
    '  4. Keep BACKUP_URL: the archive goes on with this history, beginning with a base of its own.',
    '',
  ].join('\n')
}
