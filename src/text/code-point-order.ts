/**
 * Compares two texts by code points. That is the order of their UTF-8 bytes, in which SQLite and PostgreSQL (`collate "C"`) sort their
 * keys. JavaScript's own `<` compares UTF-16 code units, and puts U+1F600 before U+FF5E.
 */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at += 1) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)]
    if (a !== b) return rank(a) - rank(b)
  }
  return left.length - right.length
}

/** The code points of surrogate pairs are above those of all other code units. */
function rank(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x10000 : codeUnit
}
