/**
 * The first `count` of the items in order. It never sorts or holds many more than that.
 *
 * @param compare never returns 0 for two different items
 */
export function smallest<T>(items: Iterable<T>, count: number, compare: (left: T, right: T) => number): T[] {
  let kept: T[] = []
  let largest: T | undefined
  for (const item of items) {
    if (largest !== undefined && compare(item, largest) > 0) continue
    kept.push(item)
    if (kept.length < 2 * count + 16) continue
    kept = kept.sort(compare).slice(0, count)
    largest = kept.at(-1)
  }
  return kept.sort(compare).slice(0, count)
}
