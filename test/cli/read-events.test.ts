import { describe, expect, it } from 'vitest'
import { readEvents } from '../../src/cli/changes/read-events.ts'

async function eventsOf(chunks: readonly (string | Uint8Array)[]) {
  const events = []
  const source = async function* () {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
  for await (const event of readEvents(source())) events.push(event)
  return events
}

describe('server-sent events', () => {
  it('are read without comments, with the last id, and with all lines of their data', async () => {
    const text =
      'retry: 1000\n: hello\n\nid: 1\nevent: change\ndata: a\n\ndata: b\ndata:c\n\n: still here\n\nid: 3\n\n'
    expect(await eventsOf([text])).toEqual([
      { id: '1', data: 'a' },
      { id: '1', data: 'b\nc' },
      { id: '3', data: undefined },
    ])
  })

  it('are the same however the stream is cut, also in the middle of a character, and with CRLF', async () => {
    const bytes = Buffer.from('id: 1\r\ndata: {"name":"日本🦊"}\r\n\r\nid: 2\r\ndata: x\r\n\r\n')
    const whole = await eventsOf([bytes])
    expect(whole).toEqual([
      { id: '1', data: '{"name":"日本🦊"}' },
      { id: '2', data: 'x' },
    ])
    expect(await eventsOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it('that the stream did not finish are not passed on', async () => {
    expect(await eventsOf(['id: 1\ndata: a\n\nid: 2\ndata: b\n'])).toEqual([{ id: '1', data: 'a' }])
  })

  it('without an end are given up', async () => {
    const chunk = Buffer.alloc(4 * 1024 * 1024, 'x')
    const source = async function* () {
      for (;;) yield chunk
    }
    await expect(readEvents(source()).next()).rejects.toMatchObject({ code: 'COORD_CLI_UNREACHABLE' })
  })
})
