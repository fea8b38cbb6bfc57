/** The word that was probably meant, if one is close enough: a typing error, other case, or a part of it. */
export function closestWord(given: string, words: readonly string[]): string | undefined {
  if (given.length > 64) return undefined
  const lower = given.toLowerCase()
  const allowed = given.length <= 4 ? 1 : given.length <= 8 ? 2 : 3
  let best: string | undefined
  let bestDistance = allowed + 1
  for (const word of words) {
    // Two words differ by at least the difference of their lengths. That excludes most of them.
    if (Math.abs(word.length - lower.length) > allowed) continue
    const distance = editDistance(lower, word.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [word, distance]
  }
  return best ?? words.find((word) => lower.length >= 3 && word.toLowerCase().includes(lower))
}

/** How many letters have to be added, removed, replaced or swapped with their neighbour. */
export function editDistance(left: string, right: string): number {
  const rows = [...Array(left.length + 1)].map((_, row) => [row, ...Array<number>(right.length).fill(0)])
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0
  for (let column = 1; column <= right.length; column += 1) (rows[0] as number[])[column] = column
  for (let row = 1; row <= left.length; row += 1)
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1]
      let distance = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (same ? 0 : 1),
      )
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (row > 1 && column > 1 && swapped) distance = Math.min(distance, at(row - 2, column - 2) + 1)
      ;(rows[row] as number[])[column] = distance
    }
  return at(left.length, right.length)
}
