import type { Head } from './store.ts'

/** How many ancestors a store keeps. The SQL functions contain the same number. */
export const ANCESTORS_MAX = 32

/** The ancestors with one more, which becomes the newest. */
export function withAncestor(ancestors: readonly string[], lineage: string): readonly string[] {
  return [...ancestors.filter((known) => known !== lineage), lineage].slice(-ANCESTORS_MAX)
}

/** Whether a history is the one with this lineage, or descends from it. */
export function descendsFrom({ position, ancestors }: Head, lineage: string): boolean {
  return position.lineage === lineage || ancestors.includes(lineage)
}
