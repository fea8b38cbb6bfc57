import type { Position } from '../../records/record.ts'
import { type ChangeFilter, positionText, type ShownEntry } from '../answering/shown-entry.ts'
import { SharedBytes } from '../sending/body-part.ts'

/** How often a comment shows that the connection is alive, in milliseconds. */
export const COMMENT_MS = 15_000
/** The first line of every stream: how soon a client should connect again, in milliseconds. */
export const RETRY_LINE = 'retry: 1000\n'

/** How much a reader gets at once, in bytes. It gets more when it has taken that. A single entry may be larger. */
const FRAMES_BYTES = 65_536

/** Events for readers at one position with one filter. */
export interface EventFrames {
  readonly parts: readonly SharedBytes[]
  /** The number of entries that they cover. */
  readonly count: number
  readonly size: number
  /** The position of a reader afterwards; absent if there is nothing new. */
  readonly last: Position | undefined
}

/** The first entries as events, up to the amount that is sent at once. Large entries are not copied. */
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
  // An event with only an id moves the client's position forward, so that it does not get the unwanted entries again.
  if (skipped !== undefined) text += `id: ${positionText(skipped.position)}\n\n`
  flush()
  return { parts, count, size, last: entries[count - 1]?.position }
}
