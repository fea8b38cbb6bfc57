import { StringDecoder } from 'node:string_decoder'
import { CoordinatorError } from '../../errors.ts'

/** A server-sent event. */
export interface ServerEvent {
  /** The last id that the stream has named, also if this event has none of its own. */
  readonly id: string | undefined
  /** Absent for an event that only moves the position forward. */
  readonly data: string | undefined
}

/** No entry of a journal is as large as this. */
const largestEvent = 64 * 1024 * 1024

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Comments, and fields that the journal does
 * not use, are left out.
 *
 * @throws COORD_CLI_UNREACHABLE for a stream that does not end its event
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new StringDecoder('utf8')
  let rest: string[] = []
  let restLength = 0
  let id: string | undefined
  let data: string[] = []
  let hasId = false
  for await (const chunk of chunks) {
    const lines = decoder.write(Buffer.from(chunk)).split('\n')
    // A long line comes in many chunks. Joining it only at its end keeps the work in proportion to its length.
    rest.push(lines[0] ?? '')
    restLength += (lines[0] ?? '').length
    if (restLength > largestEvent) throw endlessEvent()
    for (let at = 1; at < lines.length; at += 1) {
      const line = rest.join('').replace(/\r$/, '')
      rest = [lines[at] ?? '']
      restLength = rest[0]?.length ?? 0
      if (line === '') {
        if (data.length > 0 || hasId) yield { id, data: data.length > 0 ? data.join('\n') : undefined }
        data = []
        hasId = false
        continue
      }
      const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
      if (field === 'data') data.push(value)
      if (field === 'id') {
        id = value
        hasId = true
      }
    }
  }
}

function endlessEvent(): CoordinatorError {
  return new CoordinatorError('COORD_CLI_UNREACHABLE', {
    detail: 'The stream of changes has an event without an end.',
    hint: 'Check COORDINATOR_URL or --url: another program or a proxy answers there.',
  })
}
