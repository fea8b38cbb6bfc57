import { describe, expect, it } from 'vitest'
import { withServer } from '../http/with-server.ts'
import { clients, RawClient } from './raw-client.ts'

const streaming = { accept: 'text/event-stream' }

describe('readers of the journal that catch up from the store', () => {
  it('of one client that read nothing leave places to those of another', () =>
    withServer(async ({ url, ask }) => {
      // More than the newest entries that are kept, which are 16 Mi characters.
      const metadata = { filling: 'x'.repeat(16_000) }
      for (let at = 0; at < 1_200; at += 50) {
        const batch = Array.from({ length: 50 }, (_, n) => ({
          ...{ serviceName: `s${at + n}`, version: '1.0.0', endpoint: 'http://s:1', metadata },
        }))
        expect((await ask('/register/batch', { json: batch })).body).toMatchObject({ failed: 0 })
      }
      using _slow = clients(20, () => new RawClient(url, '/changes?after=0', streaming).pause())
      await expect.poll(async () => (await ask('/metrics')).text).toMatch(/^coordinator_http_streams 20$/m)
      using other = new RawClient(url, '/changes?after=0', streaming, { from: '127.0.0.2' })
      await expect.poll(() => other.tail).toContain('"serviceName":"s1199"')
    }))
})
