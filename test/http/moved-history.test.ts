import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { put } from '../conformance/build.ts'
import { Source } from '../conformance/source.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

/** A store that took over the present records of another one. */
async function movedFrom(other: Store): Promise<MemoryStore> {
  const { position, at, ancestors } = await other.head()
  const moved = new MemoryStore()
  await moved.setMode('open', 'seeding')
  for await (const { records } of other.asOf({ revision: position.revision }))
    await moved.seed({ position, at, ancestors }, records)
  await moved.setMode('seeding', 'open')
  return moved
}

describe('the history of what was stored before the history of a store began', () => {
  it('is empty and not complete, until something changes', async () => {
    const before = new MemoryStore()
    let id = ''
    await withServer(
      async (scope) => {
        id = await register(scope)
        await scope.ask('/knowledge-graph/nodes/team:a', { method: 'PUT', json: {} })
      },
      { inner: before },
    )
    await withServer(
      async (scope) => {
        const paths = [`/services/${id}/history`, '/knowledge-graph/nodes/team:a/history']
        for (const path of paths) {
          const { status, body } = await scope.ask(path)
          expect([status, body.entries, body.complete, body.revision]).toEqual([200, [], false, 2])
          expect((await scope.ask(`${path}?before=2`)).status).toBe(200)
        }
        await register(scope, { ...cart, migrationFile: { a: 1 } })
        await scope.ask('/knowledge-graph/nodes/team:a', { method: 'PUT', json: { label: 'A' } })
        const pages = await Promise.all(paths.map((path) => scope.ask(path)))
        expect(pages.map(({ body }) => [body.entries[0].action, body.complete])).toEqual([
          ['updated', false],
          ['changed', false],
        ])
        expect((await scope.ask('/knowledge-graph/nodes/team:b/history')).status).toBe(404)
        expect((await scope.ask(`/services/${id.replace(/.$/, 'x')}/history`)).status).toBe(404)
      },
      { inner: await movedFrom(before) },
    )
  })
})

/** A store that took over the whole journal of another one. */
async function replayedFrom(other: Store): Promise<MemoryStore> {
  const { lineage } = (await other.head()).position
  const start = { lineage, revision: 0, digest: lineage }
  const reply = await other.changes(start, 1_000)
  const moved = new MemoryStore()
  await moved.setMode('open', 'seeding')
  await moved.seed({ position: start, at: 0, ancestors: [] }, [])
  expect(reply.status === 'ok' && (await moved.replay(start, reply.entries)).status).toBe('ok')
  await moved.setMode('seeding', 'open')
  return moved
}

describe('a request with an Idempotency-Key that comes again after its journal moved', () => {
  it('gets its first answer, and another request with the key is refused', async () => {
    const before = new MemoryStore()
    const request = { json: cart, headers: { 'idempotency-key': '7d1b3f1c-5a43-4c8e-9a52-0d4f0a6f7f13' } }
    let first: unknown
    await withServer(
      async ({ ask }) => {
        const { body, status } = await ask('/register', request)
        first = [status, body.serviceId, body.revision]
        await ask('/register', { json: { ...cart, migrationFile: { a: 1 } } })
      },
      { inner: before },
    )
    await withServer(
      async ({ ask, store }) => {
        const { body, status } = await ask('/register', request)
        expect([status, body.serviceId, body.revision]).toEqual(first)
        const other = await ask('/register', { ...request, json: { ...cart, description: 'other' } })
        expect([other.status, other.body.code]).toEqual([422, 'COORD_IDEMPOTENCY_REUSED'])
        expect((await store.head()).position.revision).toBe(2)
      },
      { inner: await replayedFrom(before) },
    )
  })
})

/** Every answer that shows entries of the journal or records. */
async function answersOf({ ask, url }: ServerScope, id: string): Promise<string> {
  const paths = [
    '/changes?after=0',
    '/changes?after=0&kind=service',
    '/snapshot',
    `/services/${id}`,
    '/services',
    `/services/${id}/history`,
    '/knowledge-graph/nodes/team:a/history',
    '/knowledge-graph/diff?from=0&to=2',
  ]
  const texts = await Promise.all(
    paths.map(async (path) => {
      const { status, text } = await ask(path)
      expect([path, status]).toEqual([path, 200])
      return text
    }),
  )
  const stop = new AbortController()
  const stream = await fetch(`${url}/changes?after=0`, {
    headers: { accept: 'text/event-stream' },
    signal: stop.signal,
  })
  let events = ''
  for await (const chunk of stream.body ?? []) {
    events += new TextDecoder().decode(chunk)
    if (events.includes('"revision":2')) break
  }
  stop.abort()
  return [...texts, events].join('\n')
}

describe('the fingerprint of a request with an Idempotency-Key', () => {
  it('stands in the journal, and in no answer', () =>
    withServer(async (scope) => {
      const headers = { 'idempotency-key': '7d1b3f1c-5a43-4c8e-9a52-0d4f0a6f7f11' }
      const { body } = await scope.ask('/register', { json: cart, headers })
      await scope.ask('/knowledge-graph/nodes/team:a', { method: 'PUT', json: {}, headers: {} })
      const { lineage } = (await scope.store.head()).position
      const reply = await scope.store.changes({ lineage, revision: 0, digest: lineage }, 10)
      const [entry] = reply.status === 'ok' ? reply.entries : []
      expect(entry?.fingerprint).toMatch(/./)
      const text = await answersOf(scope, body.serviceId)
      expect(text).toContain(entry?.commitId)
      expect(text).not.toContain(entry?.fingerprint)
      expect(text.toLowerCase()).not.toContain('fingerprint')
    }))

  it('stands in no answer about entries that came from another store', async () => {
    const source = await Source.of([])
    await source.send({
      commitId: '7d1b3f1c-5a43-4c8e-9a52-0d4f0a6f7f12',
      actor: 'test',
      writes: [put('odd')],
      fingerprint: 'must-not-be-shown',
    })
    const moved = new MemoryStore()
    await source.moveInto(moved, 0)
    await withServer(
      async ({ ask }) => {
        const { text, status } = await ask('/changes?after=0')
        expect(status).toBe(200)
        expect(text).toContain('7d1b3f1c-5a43-4c8e-9a52-0d4f0a6f7f12')
        expect(text).not.toContain('must-not-be-shown')
      },
      { inner: moved },
    )
  })
})
