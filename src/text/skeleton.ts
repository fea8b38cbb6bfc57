/** Printable ASCII without capitals and blanks: such a text is its own skeleton. */
const ownSkeleton = /^[!-@[-~]*$/
/** Characters that take no room: zero-width ones, directions of writing, variation selectors, and controls. */
const unseen = /[\p{Cc}\p{Default_Ignorable_Code_Point}]/gu
/** The blanks of Unicode, and the Braille pattern without dots. */
const blanks = /[\s\u2800]+/g

/**
 * What a reader sees of a text: texts with the same skeleton look alike. It ignores case, forms that Unicode counts as compatible (NFKC),
 * characters that take no room, the kind of blanks, and blanks around the text. Letters of different scripts stay different.
 */
export function skeletonOf(text: string): string {
  if (ownSkeleton.test(text)) return text
  const seen = text.normalize('NFKC').toLowerCase().replaceAll(blanks, ' ').replaceAll(unseen, '')
  return seen.replaceAll(blanks, ' ').trim()
}

/** Whether a text holds something that a reader does not see: characters that take no room, or blanks around it. */
export function hasUnseen(text: string): boolean {
  return text.search(unseen) !== -1 || /^[\s\u2800]|[\s\u2800]$/.test(text)
}

/** A text in quotes, in which every character can be seen: those that take no room, and unusual blanks, are escaped. */
export function visible(text: string, maxLength = 128): string {
  const cut = text.slice(0, maxLength).toWellFormed()
  return JSON.stringify(cut).replaceAll(
    /[\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]|[^\S ]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )
}
