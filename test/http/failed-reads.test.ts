import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { CoordinatorError, ERRORS, type ErrorCode } from '../../src/errors.ts'
import { retryAfterSeconds, withWriteOutcome } from '../../src/http/answering/problem.ts'
import { limitStall } from '../../src/http/sending/limit-stall.ts'
import type { Position } from '../../src/records/record.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import type { Fault } from '../support/faulty-store.ts'
import { cart, register, withServer } from './with-server.ts'

describe('http: a page of the journal that could not be read', () => {
  /** Fails for who asks from the beginning; who follows the journal goes on. */
  const failing: Fault = {
    does: 'instead',
    run: async (inner, [after, limit]) => {
      if ((after as Position).revision === 0)
        throw new CoordinatorError('COORD_STORE_UNAVAILABLE', { detail: 'Gone.', outcome: 'not_written' })
      return inner.changes(after as Position, limit as number)
    },
  }

  it('is read again by the next one who asks, and by no more than one of those who ask together', async () => {
    const inner = new MemoryStore()
    const { position } = await inner.open()
    await inner.commit(
      position,
      ['a', 'b'].map((id) => commitOf(put(id, { ...cart, serviceName: id }))),
      newCall(),
    )
    await withServer(
      async ({ ask, store }) => {
        store.always(failing, 'changes')
        const path = '/changes?after=0'
        const failed = await ask(path)
        expect([failed.status, failed.body.code]).toEqual([503, 'COORD_STORE_UNAVAILABLE'])
        store.heal()
        expect((await ask(path)).body.entries).toHaveLength(2)
        const asked = () =>
          store.callsOf('changes').filter(({ args }) => (args[0] as Position).revision === 0)
        const before = asked().length
        const pages = await Promise.all([1, 2, 3, 4].map(() => ask('/changes?after=0&limit=1')))
        expect(pages.map(({ body }) => body.entries.length)).toEqual([1, 1, 1, 1])
        expect(asked().length - before).toBe(1)
      },
      { inner },
    )
  })
})

describe('http: a read that failed', () => {
  it('says nothing about whether it was written, whatever the store said', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      scope.store.outage({ does: 'fail', outcome: 'not_written' })
      for (const path of [
        `/services/${id}/history`,
        `/services/${id}?asOf=1`,
        '/services?consistency=latest',
        '/knowledge-graph?asOf=1',
        '/knowledge-graph/diff?from=0&to=1',
      ]) {
        const { status, body } = await scope.ask(path)
        expect([path, status, body.code]).toEqual([path, 503, 'COORD_STORE_UNAVAILABLE'])
        expect(Object.keys(body)).not.toContain('outcome')
      }
    }))

  it('says nothing about it before the first load either, and a write does', () =>
    withServer(
      async ({ ask }) => {
        const read = await ask('/services')
        expect([read.status, 'outcome' in read.body]).toEqual([503, false])
        const write = await ask('/services/x', { method: 'DELETE' })
        expect([write.status, write.body.outcome]).toEqual([503, 'not_written'])
      },
      { started: false },
    ))
})

describe('http: Retry-After', () => {
  it('is 2 seconds where it may pass by itself, 10 where somebody has to mend it, and absent where asking again is in vain', () => {
    const seconds = (code: ErrorCode, more = {}) => retryAfterSeconds(new CoordinatorError(code, more))
    expect(seconds('COORD_STORE_UNAVAILABLE')).toBe(2)
    expect(seconds('COORD_STORE_AUTH')).toBe(10)
    expect(seconds('COORD_STORE_UNAVAILABLE', { retryAfterSeconds: 7 })).toBe(7)
    for (const [code, { status }] of Object.entries(ERRORS))
      if (status !== 503) expect(seconds(code as ErrorCode), code).toBeUndefined()
  })

  it('stands in the answer to a write that a read-only database refuses', () =>
    withServer(async (scope) => {
      scope.store.always({ does: 'fail', code: 'COORD_STORE_READ_ONLY', outcome: 'not_written' }, 'commit')
      const { status, headers, body } = await scope.ask('/register', { json: cart })
      expect([status, body.code, body.retryable]).toEqual([503, 'COORD_STORE_READ_ONLY', false])
      expect(headers.get('retry-after')).toBe('10')
    }))
})

describe('http: a failed write', () => {
  it('has an outcome where the fault is on this side, and none of its own where the request is at fault', () => {
    const outcome = (code: ErrorCode) => withWriteOutcome(new CoordinatorError(code)).outcome
    expect(outcome('COORD_INTERNAL')).toBe('unknown')
    expect(outcome('COORD_STORE_UNAVAILABLE')).toBe('unknown')
    expect(outcome('COORD_NOT_LOADED')).toBe('not_written')
    expect(outcome('COORD_BODY_NOT_JSON')).toBeUndefined()
    expect(outcome('COORD_LINEAGE_CHANGED')).toBeUndefined()
  })
})

describe('http: an answer whose next piece takes long to make', () => {
  it('is not cut off while nothing of it waits to be taken', async () => {
    const server = createServer(async (_request, response) => {
      limitStall(response, 100)
      response.write('first ')
      await sleep(500)
      response.end('second')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject)
      })
      expect((await response.setEncoding('utf8').toArray()).join('')).toBe('first second')
    } finally {
      server.close().closeAllConnections()
    }
  })
})
