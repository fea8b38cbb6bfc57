/** The text that is being made, with its hyphens. It is reused, and its content is valid only within one call. */
const text = Buffer.alloc(36, '-')
/** Where the two digits of each of the 16 bytes belong. */
const places = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)
const digits = Buffer.from('0123456789abcdef')

/**
 * The text of a UUID. A text that is put together from pieces would be copied into one piece later, by the first map that compares it, and
 * that takes longer than all of this.
 *
 * @param bytes 16 bytes
 */
export function uuidText(bytes: Uint8Array): string {
  for (let index = 0; index < places.length; index += 1) {
    const byte = bytes[index] as number
    const place = places[index] as number
    text[place] = digits[byte >>> 4] as number
    text[place + 1] = digits[byte & 0xf] as number
  }
  return text.toString('latin1')
}
