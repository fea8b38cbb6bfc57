import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { compressingProxy } from '../support/compressing-proxy.ts'
import { until } from '../support/with-live.ts'
import { Follower, registerMany } from './journal-follower.ts'
import { withServer } from './with-server.ts'

const headers = { 'accept-encoding': 'gzip' }

describe('behind a proxy that compresses', () => {
  it('events arrive when they happen, and other answers are compressed', () =>
    withServer(
      async (scope) => {
        await using proxy = await compressingProxy(scope.url)
        const follower = await Follower.open(proxy.url, '/changes', headers)
        await registerMany(scope, ['a'])
        await until(() => follower.revisions.length === 1)
        follower.close()
        const list = await fetch(`${proxy.url}/services`, { headers })
        expect([list.headers.get('content-encoding'), (await list.json()).total]).toEqual(['gzip', 1])
      },
      { access: new Access({ mode: 'off' }) },
    ))
})
