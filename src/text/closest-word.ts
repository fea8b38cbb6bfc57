/** A longer text is not compared: it is no word with a typing error. */
const longestWord = 64
/** How many letters of words are read: those of 10,000 names of usual length. They take at most 5 ms, however they were chosen. */
const mostLetters = 150_000

/** The word that was probably meant, if one is near enough: with a typing error, with other case, or as a part of the word. */
export function closestWord(given: string, words: Iterable<string>): string | undefined {
  if (given.length > longestWord) return undefined
  const lower = given.toLowerCase()
  let nearest: string | undefined
  let containing: string | undefined
  let least = typingErrors(given) + 1
  let read = 0
  for (const word of words) {
    read += word.length
    if (read > mostLetters) break
    const lowered = word.toLowerCase()
    // Two words differ by at least the difference of their lengths, which excludes most of them.
    if (Math.abs(lowered.length - lower.length) < least) {
      const distance = editDistance(lower, lowered, least - 1)
      if (distance < least) [nearest, least] = [word, distance]
    }
    if (containing === undefined && lower.length > 2 && lowered.includes(lower)) containing = word
  }
  return nearest ?? containing
}

function typingErrors({ length }: string): number {
  // Every other letter is one edit away from a letter.
  if (length <= 1) return 0
  return length <= 4 ? 1 : length <= 8 ? 2 : 3
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789-_.'

/** All texts that one typing error turns into the given one, and the same in lower case. For words that can only be looked up. */
export function* oneEditAway(given: string): Generator<string> {
  const lower = given.toLowerCase()
  if (lower !== given) yield lower
  if (given.length > longestWord) return
  for (let at = 0; at < lower.length; at += 1) {
    const [before, after] = [lower.slice(0, at), lower.slice(at + 1)]
    if (lower.length > 1) yield before + after
    if (after !== '') yield before + after.charAt(0) + lower.charAt(at) + after.slice(1)
  }
  for (let at = 0; at <= lower.length; at += 1) {
    const [before, rest] = [lower.slice(0, at), lower.slice(at)]
    for (const letter of letters) {
      yield before + letter + rest
      if (rest !== '' && lower.length > 1) yield before + letter + rest.slice(1)
    }
  }
}

/** The nearest of some words, at most `limit` edits away. */
export function nearestWord(given: string, words: Iterable<string>, limit: number): string | undefined {
  let nearest: string | undefined
  let least = limit + 1
  for (const word of words) {
    if (Math.abs(word.length - given.length) >= least) continue
    const distance = editDistance(given, word, least - 1)
    if (distance < least) [nearest, least] = [word, distance]
  }
  return nearest
}

/** Rows of the table, used again by every comparison. Longer texts get rows of their own. */
const kept = [0, 1, 2].map(() => new Uint16Array(longestWord * 2 + 2))

/**
 * How many letters one has to insert, remove, replace or swap with a neighbor to turn one text into the other.
 *
 * @param limit no more edits are counted: the result is then larger than the limit. @default all
 */
export function editDistance(
  left: string,
  right: string,
  limit = Math.max(left.length, right.length),
): number {
  // Equal ends cost nothing. Names in one system often begin or end alike.
  let from = 0
  let [leftEnd, rightEnd] = [left.length, right.length]
  while (from < leftEnd && from < rightEnd && left.charCodeAt(from) === right.charCodeAt(from)) from += 1
  while (
    leftEnd > from &&
    rightEnd > from &&
    left.charCodeAt(leftEnd - 1) === right.charCodeAt(rightEnd - 1)
  ) {
    leftEnd -= 1
    rightEnd -= 1
  }
  const [rows, columns] = [leftEnd - from, rightEnd - from]
  if (Math.abs(rows - columns) > limit) return limit + 1
  const size = columns + 1
  const [first, second, third] = size <= longestWord * 2 ? kept : [0, 1, 2].map(() => new Uint16Array(size))
  let [beforeLast, last, row] = [first, second, third] as [Uint16Array, Uint16Array, Uint16Array]
  for (let j = 0; j <= columns; j += 1) last[j] = j
  for (let i = 1; i <= rows; i += 1) {
    // Further away from the diagonal than `limit`, there are more edits than that.
    const [begin, end] = [Math.max(1, i - limit), Math.min(columns, i + limit)]
    row[begin - 1] = begin === 1 ? i : limit + 1
    let smallest = row[begin - 1] as number
    const letter = left.charCodeAt(from + i - 1)
    for (let j = begin; j <= end; j += 1) {
      const other = right.charCodeAt(from + j - 1)
      let distance = (last[j - 1] as number) + (letter === other ? 0 : 1)
      if ((row[j - 1] as number) < distance) distance = (row[j - 1] as number) + 1
      if (j < i + limit && (last[j] as number) < distance) distance = (last[j] as number) + 1
      if (
        i > 1 &&
        j > 1 &&
        letter === right.charCodeAt(from + j - 2) &&
        left.charCodeAt(from + i - 2) === other
      )
        distance = Math.min(distance, (beforeLast[j - 2] as number) + 1)
      row[j] = distance
      if (distance < smallest) smallest = distance
    }
    // Each row costs at least as much as the one before. A swap skips a row, and costs one more than the row before that.
    if (smallest > limit) return limit + 1
    ;[beforeLast, last, row] = [last, row, beforeLast]
  }
  return last[columns] as number
}
