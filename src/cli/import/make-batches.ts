import { ADDED_FIELDS } from '../../records/service/service.ts'
import type { Item } from './read-items.ts'

/** An item on its way, with its JSON text. */
export interface Sent {
  readonly item: Item
  readonly text: string
}

/** A request may contain 1,000 registrations and 1 MiB. Half of that keeps answers quick and interruptions cheap. */
const maxItems = 500
const maxBytes = 512 * 1024

/**
 * Gathers the items of each request. An item that is too large for any request is sent alone, because the error of the server explains it
 * best.
 */
export async function* makeBatches(items: AsyncIterable<Item>): AsyncGenerator<readonly Sent[]> {
  let batch: Sent[] = []
  let bytes = 0
  for await (const item of items) {
    const sent = written(item)
    const size = Buffer.byteLength(sent.text) + 1
    if (batch.length > 0 && (batch.length === maxItems || bytes + size > maxBytes)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(sent)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** JSON.parse reads JSON of any depth, but JSON.stringify does not write it. Such an item fails alone. */
function written(item: Item): Sent {
  try {
    return { item, text: JSON.stringify(withoutAnswerFields(item.value)) ?? 'null' }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    const fault = { code: 'COORD_BODY_TOO_DEEP', reason: 'is nested too deeply' } as const
    return { item: { ...item, fault }, text: 'null' }
  }
}

/** Makes a registration from an exported service. The importing coordinator adds the other members itself. */
function withoutAnswerFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (!('serviceId' in value && 'registeredAt' in value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !ADDED_FIELDS.includes(name)))
}
