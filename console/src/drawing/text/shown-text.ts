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

/** A value as JSON, with each unseen character as its escape: the meaning is the same, and nobody takes one value for another. */
export function shownJson(value: unknown, indent = 0): string {
  return escapedText(JSON.stringify(value, null, indent))
}

/** A text with each unseen character as the escape that JSON has for it. Lines stay lines. */
export function escapedText(text: string): string {
  return text.replace(UNSEEN, (sign) => (sign === JOINER || sign === '\n' ? sign : escaped(sign)))
}

function escaped(sign: string): string {
  // A character outside of the first 65,536 has two code units.
  return sign.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
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

/** How much of the room is for the end of a text that is cut. */
const END_PART = 0.35
/** Where letters go from the right to the left, the end of a text does not stand at its right. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

/**
 * The text, or as much of it as fits, with an ellipsis: its beginning and its end, because names that belong together differ at their end.
 * It never cuts a letter with its accents, or an emoji of several signs.
 *
 * @param width the largest width, in multiples of the size of the font
 */
export function fittingText(text: string, width: number, measure: Measure = textWidth): string {
  if (measure(text) <= width) return text
  // A name has at most a few hundred characters, but only some of them can fit.
  const segments = Array.from(graphemes.segment(text.slice(0, 512)), ({ segment }) => segment)
  const room = width - 1
  const hasEnd = text.length <= 512 && !RIGHT_TO_LEFT.test(text)
  const end = hasEnd
    ? fitting(segments.toReversed(), room * END_PART, measure)
        .toReversed()
        .join('')
    : ''
  const start = fitting(segments, room - measure(end), measure).join('')
  return `${start}…${end}`
}

/** As many of the segments as fit, from the first one. */
function fitting(segments: readonly string[], width: number, measure: Measure): readonly string[] {
  let used = 0
  const tooWide = segments.findIndex((segment) => {
    used += measure(segment)
    return used > width
  })
  return tooWide < 0 ? segments : segments.slice(0, tooWide)
}
