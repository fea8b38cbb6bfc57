/**
 * Characters that are not seen but change what is: control characters, zero-width ones, and those that turn the direction of text. With
 * them a name can look like another one, or reorder the words beside it.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** The zero-width joiner and the variation selectors hold an emoji together. */
const JOINER = '\u200d'

/** A text from a registration as a drawing shows it: each unseen character is replaced by a visible sign. */
export function shownText(text: string): string {
  return text.replace(UNSEEN, (sign) => (sign === JOINER ? sign : '\ufffd'))
}

/** How wide a text is, in multiples of the size of the font. */
export type Measure = (text: string) => number

/** About how wide a text is, where no font can be asked. */
export function textWidth(text: string): number {
  let width = 0
  for (const sign of text) width += widthOf(sign)
  return width
}

const NARROW = new Set("iIjl.,:;'|!()[]{}ft-r/ ")
const WIDE = new Set('mwMW@%')

function widthOf(sign: string): number {
  const code = sign.codePointAt(0) ?? 0
  if (code > 0x2e7f) return sign === JOINER ? 0 : 1.3
  if (NARROW.has(sign)) return 0.38
  if (WIDE.has(sign)) return 0.92
  return sign >= 'A' && sign <= 'Z' ? 0.72 : 0.6
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/**
 * The text, or as much of its beginning as fits, with an ellipsis. It never cuts a letter with its accents, or an emoji of several signs.
 *
 * @param width the largest width, in multiples of the size of the font
 */
export function fittingText(text: string, width: number, measure: Measure = textWidth): string {
  if (measure(text) <= width) return text
  let kept = ''
  let used = 1
  // A name has at most a few hundred characters, but only the first ones can fit.
  for (const { segment } of graphemes.segment(text.slice(0, 512))) {
    used += measure(segment)
    if (used > width) break
    kept += segment
  }
  return `${kept}…`
}
