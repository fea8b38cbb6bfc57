import type { Item } from './read-items.ts'

/** Registrations that travel in one request. */
export interface Batch {
  readonly items: readonly Item[]
  /** JSON text of each item. */
  readonly texts: readonly string[]
}

/** A request may hold 1,000 registrations and 1 MiB. Half of it keeps an answer quick and an interruption cheap. */
const maxItems = 500
const maxBytes = 512 * 1024

/** Gathers items into batches. An item that is too large for any request goes alone: the server says so best. */
export async function* makeBatches(items: AsyncIterable<Item>): AsyncGenerator<Batch> {
  let batch: { items: Item[]; texts: string[] } = { items: [], texts: [] }
  let bytes = 0
  for await (const read of items) {
    const { item, text } = written(read)
    const size = Buffer.byteLength(text) + 1
    if (batch.items.length > 0 && (batch.items.length === maxItems || bytes + size > maxBytes)) {
      yield batch
      batch = { items: [], texts: [] }
      bytes = 0
    }
    batch.items.push(item)
    batch.texts.push(text)
    bytes += size
  }
  if (batch.items.length > 0) yield batch
}

/** JSON can be read from any depth, and not be written again: then the item goes no further, and keeps no other back. */
function written(item: Item): { readonly item: Item; readonly text: string } {
  try {
    return { item, text: JSON.stringify(withoutAnswerFields(item.value)) ?? 'null' }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    const fault = { code: 'COORD_BODY_TOO_DEEP', reason: 'is nested too deeply' } as const
    return { item: { ...item, fault }, text: 'null' }
  }
}

/** What the coordinator adds when it answers with a service. It decides them anew. */
const answerFields = [
  'serviceId',
  'id',
  'status',
  'health',
  'registeredAt',
  'updatedAt',
  'lastHeartbeat',
  'revision',
]

/** An exported service as it was registered; anything else as it is. */
function withoutAnswerFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (!('serviceId' in value && 'registeredAt' in value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !answerFields.includes(name)))
}
