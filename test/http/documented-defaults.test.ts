import { get } from 'node:http'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { projectionOf, withGraph } from '../graph/support/with-graph.ts'
import { cart, register, withServer } from './with-server.ts'

const named = (serviceName: string, fields: object = {}) => ({ ...cart, serviceName, ...fields })

describe('http: what is not said has the documented default', () => {
  it('of a page of a history: a hundred entries, which is the most that may be asked for', () =>
    withServer(async (scope) => {
      let id = ''
      for (let n = 0; n < 101; n += 1) id = await register(scope, { ...cart, tags: [`t${n}`] })
      await scope.ask('/knowledge-graph/nodes/team:t', { method: 'PUT', json: {} })
      const page = async (query: string) => (await scope.ask(`/services/${id}/history${query}`)).body
      expect((await page('')).entries).toHaveLength(100)
      expect((await page('?limit=100')).entries).toHaveLength(100)
      expect((await page('?limit=99')).next).toBe(3)
      for (const limit of ['0', '101', '1000', '-1', '1.5'])
        for (const path of [`/services/${id}/history`, '/knowledge-graph/nodes/team:t/history'])
          expect([limit, (await scope.ask(`${path}?limit=${limit}`)).status]).toEqual([limit, 400])
    }))

  it('of questions to the graph: ten paths, twenty critical nodes, one step around a node', () =>
    withServer(async ({ ask }) => {
      const middle = Array.from({ length: 25 }, (_, at) => `m${String(at).padStart(2, '0')}`)
      const services = [
        named('from', { dependencies: middle }),
        ...middle.map((name) => named(name, { dependencies: ['to', `${name}-end`] })),
        named('to', { dependencies: ['gone'] }),
        ...Array.from({ length: 12 }, (_, at) => named(`user${at}`, { dependencies: ['gone'] })),
      ]
      expect((await ask('/register/batch', { json: services })).body.failed).toBe(0)
      const graph = async (path: string) => (await ask(`/knowledge-graph${path}`)).body
      expect((await graph('/paths?from=from&to=to')).paths).toHaveLength(10)
      expect((await graph('/paths?from=from&to=to&limit=30')).paths).toHaveLength(25)
      const critical = await graph('/critical')
      expect([critical.articulationPoints.length, critical.mostDependedOn.length]).toEqual([20, 20])
      expect(critical.articulationPointsTotal).toBeGreaterThan(20)
      const { nodes } = await graph('/unresolved?limit=100')
      const gone = nodes.find(({ id }: { id: string }) => id === 'service:gone')
      expect([gone.references, gone.referencedBy.length]).toEqual([13, 10])
      const around = async (query: string) => (await graph(`?around=to${query}`)).knowledgeGraph.nodes.length
      expect([await around(''), await around('&depth=1')]).toEqual([27, 27])
      expect(await around('&depth=0')).toBe(1)
      expect(await around('&depth=2')).toBeGreaterThan(27)
    }))

  it('of a stream: to come back after a second', () =>
    withServer(async (scope) => {
      const first = await new Promise<string>((resolve, reject) => {
        const headers = { accept: 'text/event-stream' }
        get(`${scope.url}/changes`, { headers, agent: false }, (response) => {
          response.once('data', (chunk: Buffer) => {
            resolve(chunk.toString())
            response.destroy()
          })
        }).on('error', reject)
      })
      const { lineage, digest } = scope.live.view.position
      expect(first).toBe(`retry: 1000\n: from ${lineage}:0:${digest}\n\n`)
    }))
})

describe('http: a page of the journal', () => {
  it('shows nothing that the view does not show yet, though the store has it', async () => {
    const inner = new MemoryStore()
    const { position } = await inner.open()
    const commit = (...ids: string[]) => ids.map((id) => commitOf(put(id, named(id))))
    await inner.commit(position, commit('a', 'b', 'c'), newCall())
    await withServer(
      async ({ ask }) => {
        await inner.commit((await inner.head()).position, commit('d', 'e'), newCall())
        const { body } = await ask('/changes?after=0&limit=1000')
        expect(body.entries.map(({ revision }: { revision: number }) => revision)).toEqual([1, 2, 3])
        expect([body.revision, body.more]).toEqual([3, false])
      },
      { inner, options: { pollMinMs: 60_000, pollMaxMs: 60_000 } },
    )
  })
})

describe('figures of the graph', () => {
  it('have what the last comparison with a graph derived anew has found', () =>
    withGraph(async ({ graph, live, register: registered }) => {
      const id = await registered('a', { dependencies: ['b'] })
      await graph.rebuild()
      expect(graph.figures).toMatchObject({ nodes: 2, edges: 1, unresolved: 1, rebuildDifferences: 0 })
      const projection = projectionOf(live)
      const record = live.view.get('service', id)
      const slot = live.view.records.find('service', id)
      if (record !== undefined) projection.put(slot, record, { serviceName: 'a', dependencies: ['c'] })
      const { differencesTotal } = await graph.rebuild()
      expect(differencesTotal).toBeGreaterThan(0)
      expect(graph.figures.rebuildDifferences).toBe(differencesTotal)
    }))
})
