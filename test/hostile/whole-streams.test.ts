import { describe, expect, it } from 'vitest'
import { ask, serving } from '../main/coordinator-process.ts'
import { metric, registerLarge } from './large-lists.ts'
import { clients, RawClient } from './raw-client.ts'

const nodeArgs = ['--max-old-space-size=128']

describe('streams of the whole state', () => {
  it('are 8 at most, 4 of one client; the others are told when to come back, and HEAD counts nothing', async () => {
    await using coordinator = await serving({ nodeArgs })
    const { url } = coordinator
    await registerLarge(url, 750)
    const paths = ['/snapshot', '/services']
    const stream = (at: number, from: string) =>
      new RawClient(url, paths[at % 2] as string, { accept: 'application/x-ndjson' }, { from }).pause()
    using open = clients(4, (at) => stream(at, '127.0.0.1'))
    await expect.poll(() => metric(coordinator, 'coordinator_http_whole_streams')).toBe(4)
    expect((await ask(`${url}/snapshot`)).body).toMatchObject({
      code: 'COORD_STREAMS_BUSY',
      detail: expect.stringContaining('for this client'),
    })
    using _others = clients(4, (at) => stream(at, '127.0.0.2'))
    await expect.poll(() => metric(coordinator, 'coordinator_http_whole_streams')).toBe(8)
    const refused = await ask(`${url}/snapshot`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    expect(refused.body).toMatchObject({
      code: 'COORD_STREAMS_BUSY',
      retryable: true,
    })
    expect((await fetch(`${url}/snapshot`, { method: 'HEAD' })).status).toBe(200)
    expect((await ask(`${url}/services?limit=1`)).status).toBe(200)
    expect(await metric(coordinator, 'coordinator_http_whole_streams_refused_total')).toBe(2)
    open[0]?.socket.destroy()
    const again = await fetch(`${url}/snapshot`)
    expect((await again.text()).trimEnd().split('\n')).toHaveLength(751)
  })
})
