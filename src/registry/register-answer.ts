import type { View } from '../live/view/view.ts'
import type { ChangeResult } from '../live/writing/change.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import type { Warning } from '../records/warning.ts'
import type { RegisterAnswer } from './answers/answers.ts'
import { statusOf } from './answers/service-json.ts'

/**
 * The answer to a registration, or to its second stage, from the result of the store.
 *
 * @param about `active`: whether the planned record has a `migrationFile`; `warnings`: current, even if the rest is the first result of a
 * request that was sent before
 */
export function registerAnswer(
  about: { readonly serviceId: string; readonly active: boolean; readonly warnings: readonly Warning[] },
  { changed, created, revision, replayed, replayedData }: ChangeResult,
  { lineage }: View,
): RegisterAnswer {
  const { serviceId, warnings } = about
  const active = replayedData === undefined ? about.active : migrationFileIn(replayedData) !== undefined
  return { serviceId, status: statusOf(active), created, changed, revision, lineage, replayed, warnings }
}

/** The migration file in the stored data of a service. */
export function migrationFileIn(data: string): JsonObject | undefined {
  // Searching the text for the name is cheap, and most texts without a migrationFile do not contain it.
  if (!data.includes('"migrationFile":')) return undefined
  return (JSON.parse(data) as JsonObject)['migrationFile'] as JsonObject | undefined
}
