import type { Position } from '../../records/record.ts'
import { type ChangeFilter, positionText, type ShownEntry } from '../answering/shown-entry.ts'
import { SharedBytes } from '../sending/body-part.ts'

/** How much is given to a reader at once, in bytes: more when it has taken that. A single entry may be larger. */
const FRAMES_BYTES = 65_536

/** Events for readers at one position with one filter. */
export interface EventFrames {
  readonly parts: readonly SharedBytes[]
  /** How many entries they are about. */
  readonly count: number
  readonly size: number
  /** Where a reader is then; absent where nothing is new. */
  readonly last: Position | undefined
}

/** The first of some entries as events: as many as are given at once. Large entries are not copied. */
export function framesOf(entries: readonly ShownEntry[], filter: ChangeFilter): EventFrames {
  const parts: SharedBytes[] = []
  let text = ''
  let size = 0
  let count = 0
  let skipped: ShownEntry | undefined
  const flush = () => {
    if (text !== '') parts.push(new SharedBytes(Buffer.from(text)))
    text = ''
  }
  for (const entry of entries) {
    const wanted = entry.isWanted(filter)
    skipped = wanted ? undefined : entry
    count += 1
    if (!wanted) continue
    const { part } = entry
    text += `id: ${positionText(entry.position)}\nevent: change\ndata: `
    if (typeof part === 'string') text += part
    else {
      flush()
      parts.push(part)
    }
    text += '\n\n'
    size += typeof part === 'string' ? part.length : part.bytes.length
    if (size >= FRAMES_BYTES) break
  }
  // An id alone moves the client's position on, so that it does not come back to what it did not want.
  if (skipped !== undefined) text += `id: ${positionText(skipped.position)}\n\n`
  flush()
  return { parts, count, size, last: entries[count - 1]?.position }
}
