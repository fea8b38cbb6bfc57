import { describe, expect, it } from 'vitest'
import { suggestNode } from '../../src/graph/model/suggest-node.ts'
import { cart, type ServerScope, withServer } from '../http/with-server.ts'

async function setUp({ ask }: ServerScope): Promise<void> {
  for (const [serviceName, namespace] of [['flagd'], ['check out'], ['flagg', 'shop']] as const)
    await ask('/register', { json: { ...cart, serviceName, namespace } })
  for (const id of ['team:payments', 'resource:@shop:carts-db', 'system:@shop:carts-db'])
    await ask(`/knowledge-graph/nodes/${id}`, { method: 'PUT', json: {} })
}

describe('a graph of a million nodes', () => {
  const ids = (node: number) => (node === 999_999 ? 'service:flagd' : `service:s-${node}`)
  let read = 0
  const graph = {
    find: (id: string) => (id === 'service:flagd' ? 999_999 : -1),
    *nodes() {
      for (let node = 0; node < 1_000_000; node += 1) yield node
    },
    idOf(node: number) {
      read += 1
      return ids(node)
    },
  }

  it('finds one typing error everywhere, and several only among its first nodes', () => {
    expect(suggestNode(graph, 'flagdd')).toBe('flagd')
    expect(suggestNode(graph, 'service:falgd')).toBe('service:flagd')
    expect(read).toBe(0)
    expect(suggestNode(graph, 'flgaddd')).toBeUndefined()
    expect(read).toBeLessThan(40_001)
    expect(suggestNode(graph, 'ss--77')).toBe('s-77')
  })
})

describe('a node that does not exist', () => {
  it.each([
    ['impact?of=flagdd', 'flagd'],
    ['dependencies?of=FLAGD', 'flagd'],
    ['neighbors?of=service:flagdd', 'service:flagd'],
    ['neighbors?of=chekc out', 'check out'],
    ['paths?from=flagd&to=flafd', 'flagd'],
    ['nodes/team:paymnts', 'team:payments'],
    ['impact?of=payments', 'team:payments'],
    ['impact?of=carts-db&namespace=shop', 'resource:@shop:carts-db'],
    ['impact?of=carts-db', undefined],
    ['impact?of=shop/flagg', 'service:@shop:flagg'],
    ['impact?of=shop/pay', undefined],
    ['impact?of=nothing-like-it', undefined],
    ['impact?of=team:flagd', undefined],
    ['impact?of=x', undefined],
    [`impact?of=${'flagd'.repeat(200)}`, undefined],
  ])('%s: the error suggests %s', (question, suggestion) =>
    withServer(async (scope) => {
      await setUp(scope)
      const { status, body } = await scope.ask(`/knowledge-graph/${question}`)
      expect([status, body.code, body.suggestion]).toEqual([404, 'COORD_NODE_NOT_FOUND', suggestion])
      if (suggestion === undefined) expect(body.detail).not.toContain('Did you mean')
      else expect(body.detail).toMatch(new RegExp(`\\. Did you mean ${suggestion}\\?$`))
    }),
  )

  it('is looked for at the moment of the question', () =>
    withServer(async (scope) => {
      await setUp(scope)
      const { body } = await scope.ask('/knowledge-graph/impact?of=flagdd&asOf=2')
      expect(body.detail).toBe('The graph has no node "flagdd" at revision 2. Did you mean flagd?')
      expect(body.suggestion).toBe('flagd')
    }))
})

it('a name where the id of a service belongs is answered with the way to the id', () =>
  withServer(async (scope) => {
    await setUp(scope)
    const { status, body } = await scope.ask('/services/flagd')
    expect(status).toBe(404)
    expect(body.detail).toBe(
      'No service has this id. But it is the name of a service: `GET /services?name=NAME` shows its id.',
    )
    expect((await scope.ask('/services/unknown')).body.detail).toBe('No service has this id.')
  }))
