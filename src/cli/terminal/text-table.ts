/**
 * Lays out rows in columns for people. Texts of a server may hold control characters; none of them reaches the terminal.
 *
 * @returns lines that each end with a line break, or an empty text for no rows
 */
export function textTable(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(printable))
  const widths: number[] = []
  for (const row of clean)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell))
  return clean
    .map((row) => {
      const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell)))
      return `${cells.join('  ').trimEnd()}\n`
    })
    .join('')
}

/** A text without control and bidirectional formatting characters, which could change what a terminal shows. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

/**
 * JSON that means the same, without the characters that could change what a terminal shows: `\u009b` begins a command for many. JSON itself
 * escapes only those below U+0020. What is in double quotes in YAML may be escaped in the same way.
 */
export function printableJson(json: string): string {
  return json.replaceAll(
    unescapedControl,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Whether a text holds a character that `printableJson` escapes. */
export function hasUnescapedControl(text: string): boolean {
  return text.search(unescapedControl) !== -1
}

const unescapedControl = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const wide =
  /^(?:\p{Emoji_Presentation}|.\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6])/u

/** The columns that a text takes on a terminal. Emoji and East Asian characters take two. */
function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** A number with its noun: `1 node`, `2 nodes`. */
export function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
