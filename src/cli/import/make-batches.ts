import type { Item } from './item.ts'

/** An item on its way, with its JSON text. */
export interface Sent {
  readonly item: Item
  readonly text: string
}

/** A request may contain 1,000 registrations and 1 MiB. Half of that keeps answers quick and interruptions cheap. */
const maxItems = 500
const maxBytes = 512 * 1024
/** Assertions are sent at the same time, one in each request. The coordinator stores them together. */
const maxAssertions = 32

/**
 * Gathers the items of each request: registrations, or assertions about different things. An item that is too large for any request is sent
 * alone, because the error of the server explains it best.
 */
export async function* makeBatches(items: AsyncIterable<Item>): AsyncGenerator<readonly Sent[]> {
  let batch: Sent[] = []
  let bytes = 0
  const subjects = new Set<string>()
  for await (const item of items) {
    const sent = written(item)
    const size = Buffer.byteLength(sent.text) + 1
    const isAssertion = item.about !== undefined
    const subject = isAssertion ? `${item.about.kind} ${item.about.id}` : ''
    const max = isAssertion ? maxAssertions : maxItems
    const isOther = isAssertion !== (batch[0]?.item.about !== undefined)
    const isFull = batch.length >= max || bytes + size > maxBytes || subjects.has(subject)
    if (batch.length > 0 && (isOther || isFull)) {
      yield batch
      batch = []
      bytes = 0
      subjects.clear()
    }
    batch.push(sent)
    bytes += size
    if (isAssertion) subjects.add(subject)
  }
  if (batch.length > 0) yield batch
}

/** JSON.parse reads JSON of any depth, but JSON.stringify does not write it. Such an item fails alone. */
function written(item: Item): Sent {
  try {
    return { item, text: JSON.stringify(item.value) ?? 'null' }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    const fault = { code: 'COORD_BODY_TOO_DEEP', reason: 'is nested too deeply' } as const
    return { item: { ...item, fault }, text: 'null' }
  }
}
