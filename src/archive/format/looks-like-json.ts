const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** What stands outside of texts: signs, numbers, and the letters of `true`, `false` and `null`. */
const outside = new Set(Array.from('{}[]:,0123456789+-.eEtrufalsn', (sign) => sign.charCodeAt(0)))
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has them only as escapes, and no line break may split a line.
const control = /[\u0000-\u001f]/

/**
 * Whether a text can stand as a value in a line of JSON: an object or list that ends with the text, and has no space and no line break
 * outside of escapes. It does not look at the order of its parts. Parsing would tell that, too, but takes ten times as long, and everything
 * that coordinators store was printed as JSON.
 */
export function looksLikeJson(text: string): boolean {
  return endOfJson(text, 0) === text.length && !control.test(text) && text.isWellFormed()
}

/** Where an object or list ends that begins at a place of a text: the place behind its last bracket; -1 if it does not end. */
export function endOfJson(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE && depth > 0) {
      at = endOfText(text, at)
      if (at < 0) return -1
    } else if (unit === OPEN_OBJECT || unit === OPEN_LIST) depth += 1
    else if (unit === CLOSE_OBJECT || unit === CLOSE_LIST) {
      depth -= 1
      if (depth <= 0) return depth < 0 ? -1 : at + 1
    } else if (depth === 0 || !outside.has(unit)) return -1
  }
  return -1
}

/** The place of the quotation mark that ends a text; -1 if there is none. */
function endOfText(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return -1
}
