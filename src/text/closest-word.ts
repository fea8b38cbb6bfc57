/** The word that was probably meant, if one is near enough: with a typing error, with other case, or as a part of the word. */
export function closestWord(given: string, words: readonly string[]): string | undefined {
  if (given.length > 64) return undefined
  const lower = given.toLowerCase()
  const lowered = words.map((word) => word.toLowerCase())
  const limit = given.length <= 4 ? 1 : given.length <= 8 ? 2 : 3
  const nearest = nearestWord(lower, lowered, limit)
  if (nearest !== undefined) return words[lowered.indexOf(nearest)]
  return lower.length < 3 ? undefined : words[lowered.findIndex((word) => word.includes(lower))]
}

/** The nearest of some words, at most `limit` edits away. */
export function nearestWord(given: string, words: Iterable<string>, limit: number): string | undefined {
  let nearest: string | undefined
  let least = limit + 1
  for (const word of words) {
    // Two words differ by at least the difference of their lengths, which excludes most of them.
    if (Math.abs(word.length - given.length) >= least) continue
    const distance = editDistance(given, word)
    if (distance < least) [nearest, least] = [word, distance]
  }
  return nearest
}

/** How many letters one has to insert, remove, replace or swap with a neighbor to turn one text into the other. */
export function editDistance(left: string, right: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: right.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (last[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1)
      let distance = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, replaced)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        distance = Math.min(distance, (beforeLast[j - 2] as number) + 1)
      row.push(distance)
    }
    ;[beforeLast, last] = [last, row]
  }
  return last[right.length] as number
}
