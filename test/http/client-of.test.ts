import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { BodyReceiver } from '../../src/http/reading/receive-body.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { clientOf } from '../../src/text/client-of.ts'

const mib = 1_048_576

/** A request whose body arrives in pieces, without a length. */
function bodyInPieces(): PassThrough & IncomingMessage {
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
  return Object.assign(new PassThrough(), { headers }) as never
}

describe('the client whose share a request uses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1::1', '2001:db8:0:1'],
    ['2001:db8:0:1:ffff:0:0:2', '2001:db8:0:1'],
    ['2001:db8::2', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1', 'fe80:0:0:0'],
  ])('of %s is %s', (address, client) => {
    expect(clientOf(address)).toBe(client)
  })

  it('is one network of 64 bits: its addresses share the bytes of bodies under way', async () => {
    const metrics = createMetrics({ backend: 'memory', process: false })
    const bodies = new BodyReceiver({ maxBytes: 4 * mib, metrics })
    const refusals: string[] = []
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1']) {
      const request = bodyInPieces()
      const share = () => clientOf(address)
      bodies.receive(request, share, (error) =>
        refusals.push(`${address} ${(error as { code?: string }).code}`),
      )
      request.write(Buffer.alloc(mib - 1, 0x20))
      await new Promise(setImmediate)
    }
    // A quarter of 4 MiB is 1 MiB: the second address of the first network has no room.
    expect(refusals).toEqual(['2001:db8::2 COORD_RECEIVE_FULL'])
  })
})
