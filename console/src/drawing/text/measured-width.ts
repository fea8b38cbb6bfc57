import { type Measure, textWidth } from './shown-text.ts'

/** Fonts differ by a fifth in width: they are asked at this size, in CSS pixels. */
const SIZE = 100
/** Names that come back, in every version of a drawing. */
const MOST_KNOWN = 5_000

/** Measures texts in the font of the page. @param weight such as `600` */
export function measuredIn(weight: number): Measure {
  const context = document.createElement('canvas').getContext('2d')
  if (context === null) return textWidth
  context.font = `${weight} ${SIZE}px ${getComputedStyle(document.body).fontFamily}`
  const known = new Map<string, number>()
  return (text) => {
    const width = known.get(text) ?? context.measureText(text).width / SIZE
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(text, width)
    return width
  }
}
