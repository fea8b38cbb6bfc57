import type { Damage, ExaminationCursor, Inspector } from './store.ts'

/** How many damages are kept. Further ones are only counted: if much is wrong, the first ones show what happened. */
const damagesKept = 20

export interface StoreExamination {
  /** The first damages. */
  readonly damages: readonly Damage[]
  /** The number of all damages. */
  readonly count: number
}

/**
 * Compares all of head, journal and records, part by part.
 *
 * @param between is called and awaited after each part, with the duration of that part in milliseconds, to leave the database to others
 * @returns `undefined` if the backend has nothing to compare
 */
export async function examineStore(
  inspector: Inspector | undefined,
  between: (tookMs: number) => Promise<void> = async () => undefined,
): Promise<StoreExamination | undefined> {
  if (inspector?.examine === undefined) return undefined
  const damages: Damage[] = []
  let count = 0
  let from: ExaminationCursor | undefined
  do {
    const startedAt = performance.now()
    const part = await inspector.examine(from)
    damages.push(...part.damages.slice(0, damagesKept - damages.length))
    count += part.damages.length
    from = part.next
    if (from !== undefined) await between(performance.now() - startedAt)
  } while (from !== undefined)
  return { damages, count }
}
