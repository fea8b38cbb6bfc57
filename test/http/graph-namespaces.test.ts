import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ServerScope, withServer } from './with-server.ts'

const systems = { astronomy: 'opentelemetry-demo', boutique: 'online-boutique' } as const

/** Registers the services of both examples, each in a namespace. */
async function importSystems({ ask }: ServerScope): Promise<void> {
  for (const [namespace, name] of Object.entries(systems)) {
    const services = JSON.parse(readFileSync(`examples/data/${name}.json`, 'utf8')) as object[]
    const { body } = await ask('/register/batch', {
      json: services.map((service) => ({ ...service, namespace })),
    })
    expect(body).toMatchObject({ registered: services.length, failed: 0 })
    expect(
      body.results.flatMap(({ warnings }: { warnings: { code: string }[] }) => warnings),
    ).not.toContainEqual(
      expect.objectContaining({
        code: 'unknown_dependency',
        message: expect.stringContaining('namespace "default"'),
      }),
    )
  }
}

describe('namespaces in the graph over HTTP', () => {
  it('the impact of one frontend never reaches the other', () =>
    withServer(async (scope) => {
      await importSystems(scope)
      const { ask } = scope
      for (const namespace of Object.keys(systems)) {
        for (const question of ['impact', 'dependencies']) {
          const { status, body } = await ask(
            `/knowledge-graph/${question}?of=frontend&namespace=${namespace}`,
          )
          expect(status).toBe(200)
          expect(body.of).toBe(`service:@${namespace}:frontend`)
          expect(body.total).toBeGreaterThan(0)
          for (const node of body.nodes) {
            expect(node.namespace).toBe(namespace)
            expect(node.id).toContain(`:@${namespace}:`)
            expect(node.via.every((id: string) => id.includes(`:@${namespace}:`))).toBe(true)
          }
        }
        const { body } = await ask(`/knowledge-graph?namespace=${namespace}`)
        const count = namespace === 'astronomy' ? 28 : 13
        expect(body.knowledgeGraph.nodes).toHaveLength(count)
        expect(
          new Set(body.knowledgeGraph.nodes.map((node: { namespace: string }) => node.namespace)),
        ).toEqual(new Set([namespace]))
      }
      expect((await ask('/knowledge-graph')).body.knowledgeGraph.nodes).toHaveLength(28 + 13)
      expect((await ask('/knowledge-graph?namespace=default')).body.knowledgeGraph.nodes).toEqual([])
    }))

  it('a plain name without its namespace is not found, and the answer says where one is', () =>
    withServer(async (scope) => {
      await importSystems(scope)
      expect(await scope.ask('/knowledge-graph/impact?of=checkout')).toMatchObject({
        status: 404,
        body: {
          code: 'COORD_NODE_NOT_FOUND',
          detail: 'The graph has no node "checkout". The namespace "astronomy" has a service of that name.',
        },
      })
    }))

  it('every question and the graph take a namespace, of the present and of the past, and refuse what cannot be one', () =>
    withServer(async ({ ask }) => {
      await ask('/register', {
        json: {
          serviceName: 'cart',
          namespace: 'shop',
          version: '1',
          endpoint: 'http://cart',
          dependencies: ['db'],
        },
      })
      const paths = [
        ...['impact?of=cart&', 'dependencies?of=cart&', 'neighbors?of=cart&', 'paths?from=cart&to=db&'],
        ...[
          'cycles?',
          'critical?',
          'unresolved?',
          'orphans?',
          'nodes/cart?',
          '?',
          '?around=cart&',
          'diff?from=1&',
        ],
      ]
      for (const path of paths)
        for (const suffix of path.startsWith('diff') ? [''] : ['', '&asOf=1']) {
          const base = `/knowledge-graph${path.startsWith('?') ? '' : '/'}${path}`
          expect((await ask(`${base}namespace=shop${suffix}`)).status, path).toBe(200)
          for (const bad of ['Shop', '', 'a%20b', '@shop', 'x'.repeat(64), 'a&namespace=b'])
            expect((await ask(`${base}namespace=${bad}${suffix}`)).body.code, path).toBe(
              'COORD_QUERY_INVALID',
            )
        }
      expect((await ask('/knowledge-graph/unresolved?namespace=shop')).body).toMatchObject({
        nodes: [{ id: 'service:@shop:db', label: 'db', namespace: 'shop' }],
      })
      expect((await ask('/knowledge-graph/unresolved?namespace=default')).body.nodes).toEqual([])
      const id = encodeURIComponent('service:@shop:cart')
      expect((await ask(`/knowledge-graph/nodes/${id}`)).body.node).toMatchObject({
        id: 'service:@shop:cart',
        namespace: 'shop',
      })
      // An edge has no plain name.
      expect((await ask('/knowledge-graph/edges/x?namespace=shop')).body.code).toBe('COORD_QUERY_INVALID')
    }))

  it('a dry run tells what a registration in a namespace would find there', () =>
    withServer(async (scope) => {
      await importSystems(scope)
      const newcomer = {
        serviceName: 'new',
        version: '1',
        endpoint: 'http://new',
        dependencies: ['frontend'],
      }
      const dryRun = async (fields: object) =>
        (await scope.ask('/register?dryRun=true', { json: { ...newcomer, ...fields } })).body
      expect(await dryRun({ namespace: 'boutique' })).toMatchObject({ safe: true, warnings: [] })
      expect(await dryRun({})).toMatchObject({
        safe: false,
        unknownDependencies: [{ consumer: 'service:new', dependency: 'service:frontend' }],
        warnings: [{ code: 'unknown_dependency', message: expect.stringContaining('"astronomy"') }],
      })
      const remove = [{ serviceName: 'frontend', namespace: 'boutique' }]
      const { body } = await scope.ask('/knowledge-graph/simulate', { json: { remove } })
      expect(body.lostProviders).toEqual([
        { id: 'service:@boutique:frontend', label: 'frontend', type: 'service', namespace: 'boutique' },
      ])
      expect(body.brokenConsumers.every((node: { namespace: string }) => node.namespace === 'boutique')).toBe(
        true,
      )
    }))

  it('assertions lie where their ids say, also where a proxy decoded them', () =>
    withServer(async ({ ask }) => {
      const put = (id: string) => ask(`/knowledge-graph/nodes/${id}`, { method: 'PUT', json: {} })
      expect((await put('team:@shop:web')).body.id).toBe('team:@shop:web')
      expect((await put('team:%40shop:back%2520end')).body.id).toBe('team:@shop:back%20end')
      expect((await put('team:%40shop:back%20end')).body).toMatchObject({
        id: 'team:@shop:back%20end',
        created: false,
      })
      // A name that begins with @ is no namespace where nothing follows it.
      expect((await put('team:@shop')).body.id).toBe('team:%40shop')
      expect(await put('team:@default:web')).toMatchObject({
        status: 400,
        body: { code: 'COORD_NODE_ID_INVALID' },
      })
      expect((await ask('/knowledge-graph/orphans?namespace=shop')).body.nodes).toMatchObject([
        { id: 'team:@shop:back%20end', label: 'back end' },
        { id: 'team:@shop:web', label: 'web' },
      ])
    }))
})
