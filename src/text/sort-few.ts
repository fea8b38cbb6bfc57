const FEW = 24

/**
 * Sorts a list in place: texts by their UTF-16 code units, or numbers. It is for short lists, as registrations have them: `sort` makes
 * three copies of a list first.
 */
export function sortFew<T extends string | number>(items: T[]): T[] {
  if (items.length > FEW) return items.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
  for (let end = 1; end < items.length; end += 1) {
    const item = items[end] as T
    let at = end
    for (; at > 0 && (items[at - 1] as T) > item; at -= 1) items[at] = items[at - 1] as T
    items[at] = item
  }
  return items
}
