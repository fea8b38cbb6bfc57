const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Where the JSON object or list ends that begins at a place of a text: the place behind its last bracket; -1 if it does not end. It looks
 * only for brackets outside of texts, and does not check the rest.
 */
export function endOfJson(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) {
      at = endOfText(text, at)
      if (at < 0) return -1
    } else if (unit === 0x7b || unit === 0x5b) depth += 1
    else if (unit === 0x7d || unit === 0x5d) {
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0) return -1
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
