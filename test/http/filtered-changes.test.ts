import { describe, expect, it } from 'vitest'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const named = (serviceName: string) => ({ ...cart, serviceName })

async function page({ ask }: ServerScope, query: string) {
  const { status, body } = await ask(`/changes?${query}`)
  expect(status).toBe(200)
  return {
    revisions: body.entries.map(({ revision }: { revision: number }) => revision) as number[],
    more: body.more as boolean,
    next: body.next as string,
    reached: body.revision as number,
  }
}

describe('pages of the journal that are narrowed by name', () => {
  it('still have every deletion: it has no name, and who keeps a copy must hear of it', () =>
    withServer(async (scope) => {
      const id = await register(scope, named('a'))
      await register(scope, named('b'))
      await scope.ask(`/services/${id}`, { method: 'DELETE' })
      await register(scope, named('c'))
      expect(await page(scope, 'after=0&name=b')).toMatchObject({ revisions: [2, 3] })
      expect(await page(scope, 'after=0&name=a')).toMatchObject({ revisions: [1, 3] })
      expect(await page(scope, 'after=0&name=b&kind=service')).toMatchObject({ revisions: [2, 3] })
      // The kind is known of a deletion, too.
      expect(await page(scope, 'after=0&name=b&kind=node')).toMatchObject({ revisions: [], reached: 4 })
    }))

  it('have what is wanted also behind more than a page of what is not, without waiting', () =>
    withServer(async (scope) => {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'wanted', 'f']) await register(scope, named(name))
      expect(await page(scope, 'after=0&name=wanted&limit=2&wait=0')).toMatchObject({
        revisions: [6],
        more: false,
        reached: 7,
      })
      expect(await page(scope, 'after=0&name=wanted&limit=1')).toMatchObject({ revisions: [6], more: true })
      expect(await page(scope, 'after=0&name=wanted&limit=7')).toMatchObject({ revisions: [6], more: false })
      expect(await page(scope, 'after=0&name=nobody&limit=2')).toMatchObject({
        revisions: [],
        more: false,
        reached: 7,
      })
    }))

  it('say with more whether to ask again at once, at every place of the journal', () =>
    withServer(async (scope) => {
      for (const name of ['a', 'b', 'c']) await register(scope, named(name))
      const mores: boolean[] = []
      for (let after = 0; after <= 3; after += 1)
        mores.push((await page(scope, `after=${after}&limit=2`)).more)
      expect(mores).toEqual([true, false, false, false])
    }))

  it('wait on through what is not wanted, and answer with what is', () =>
    withServer(async (scope) => {
      const arrived = scope.nextRequest()
      const waiting = page(scope, 'after=0&name=wanted&wait=30')
      await arrived
      for (const name of ['a', 'b', 'wanted']) await register(scope, named(name))
      expect(await waiting).toMatchObject({ revisions: [3], reached: 3 })
    }))

  it('have a hundred entries where no limit is given', () =>
    withServer(async (scope) => {
      const json = Array.from({ length: 101 }, (_, at) => named(`s${at}`))
      expect((await scope.ask('/register/batch', { json })).body.registered).toBe(101)
      const first = await page(scope, 'after=0')
      expect([first.revisions.length, first.more]).toEqual([100, true])
      expect((await page(scope, `after=${first.next}`)).revisions).toEqual([101])
    }))
})

describe('pages of the journal that are narrowed by namespace', () => {
  it('have services and nodes of it, edges that touch it, and every deletion', () =>
    withServer(async (scope) => {
      await register(scope, named('a'))
      await register(scope, { ...named('a'), namespace: 'shop' })
      const put = (path: string) => scope.ask(path, { method: 'PUT', json: {} })
      expect((await put('/knowledge-graph/nodes/team:@shop:web')).status).toBe(201)
      expect((await put('/knowledge-graph/nodes/team:web')).status).toBe(201)
      const edge = encodeURIComponent('team:web,owns,service:@shop:a,asserted')
      expect((await put(`/knowledge-graph/edges/${edge}`)).status).toBe(201)
      await scope.ask('/knowledge-graph/nodes/team:web', { method: 'DELETE' })
      expect((await page(scope, 'after=0&namespace=shop')).revisions).toEqual([2, 3, 5, 6])
      expect((await page(scope, 'after=0&namespace=default')).revisions).toEqual([1, 4, 5, 6])
      expect((await page(scope, 'after=0&namespace=shop,default')).revisions).toEqual([1, 2, 3, 4, 5, 6])
      expect((await page(scope, 'after=0&namespace=shop&name=a')).revisions).toEqual([2, 6])
      expect((await page(scope, 'after=0&namespace=nobody&kind=service')).revisions).toEqual([])
      const refused = await scope.ask('/changes?after=0&namespace=Shop')
      expect([refused.status, refused.body.code]).toEqual([400, 'COORD_QUERY_INVALID'])
    }))
})

describe('entries of the journal', () => {
  it('of a deletion have no data, and those of a put have it whole, with the time and the actor', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      await scope.ask(`/services/${id}`, { method: 'DELETE', headers: { 'x-coordinator-actor': 'ops' } })
      const { body } = await scope.ask('/changes?after=0')
      expect(body.entries[1].writes).toEqual([{ op: 'delete', kind: 'service', id }])
      expect(body.entries[1].actor).toBe('http:127.0.0.1 as ops')
      expect(body.entries[0].writes[0]).toMatchObject({ op: 'put', kind: 'service', id, data: cart })
      const { lineage, digest } = scope.live.view.position
      expect(body.entries[1].position).toBe(`${lineage}:2:${digest}`)
      expect(body.next).toBe(`${lineage}:2:${digest}`)
      expect(Date.parse(body.entries[1].at)).toBe(scope.live.view.at)
    }))
})
