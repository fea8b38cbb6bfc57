/**
 * The first `count` of the items in order, without ever sorting, or holding, many more than are wanted.
 *
 * @param compare tells any two items apart
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
