/** The first `count` of the items in order, without sorting all of them. `compare` must tell any two apart. */
export function smallest<T>(
  items: readonly T[],
  count: number,
  compare: (left: T, right: T) => number,
): readonly T[] {
  if (items.length <= count * 2) return [...items].sort(compare).slice(0, count)
  let kept: T[] = []
  let largest: T | undefined
  for (const item of items) {
    if (largest !== undefined && compare(item, largest) > 0) continue
    kept.push(item)
    if (kept.length < count * 2) continue
    kept = kept.sort(compare).slice(0, count)
    largest = kept.at(-1)
  }
  return kept.sort(compare).slice(0, count)
}
