import { JSDOM } from 'jsdom'
import { describe, expect, it } from 'vitest'
import { cart, register, withServer } from './with-server.ts'

describe('http: the hint of a wrong request', () => {
  it('names the part of the reference that has its rules', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const { document } = new JSDOM((await scope.ask('/docs')).text).window
      const requests = [
        ['PUT', `/services/${id}/heartbeat`, { status: 'fine' }, 'putServicesByServiceIdHeartbeat'],
        ['PUT', `/services/${id}/heartbeat`, { status: 1 }, 'putServicesByServiceIdHeartbeat'],
        ['PUT', `/services/${id}/heartbeat`, [], 'putServicesByServiceIdHeartbeat'],
        ['POST', '/register', { ...cart, tags: 'x' }, 'postRegister'],
        ['POST', `/register/${id}/migration`, {}, 'postRegisterByServiceIdMigration'],
        ['PUT', '/knowledge-graph/nodes/team:t', { label: 1 }, 'putKnowledgeGraphNodesById'],
        ['POST', '/knowledge-graph/simulate', { remove: 1 }, 'postKnowledgeGraphSimulate'],
        ['POST', '/tokens', {}, 'postTokens'],
        ['GET', '/services?limit=0', undefined, 'getServices'],
        ['DELETE', `/services/${id}?x=1`, undefined, 'deleteServicesByServiceId'],
        ['PUT', '/graph/nodes/team:t', { label: 1 }, undefined],
      ] as const
      for (const [method, path, json, part] of requests) {
        const { status, body } = await scope.ask(path, { method, json })
        expect([method, path, status]).toEqual([method, path, 400])
        expect(body.hint).toContain(part === undefined ? '`/docs`' : `\`/docs#${part}\``)
        if (part !== undefined) expect(document.querySelector(`article#${part}`)).not.toBeNull()
      }
    }))
})
