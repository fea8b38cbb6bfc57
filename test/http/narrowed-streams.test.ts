import { get, type IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { until } from '../support/with-live.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const named = (serviceName: string, fields: object = {}) => ({ ...cart, serviceName, ...fields })

/** Follows the journal, and notes revisions as they come. */
async function follow({ url }: ServerScope, query: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { headers: { accept: 'text/event-stream' }, agent: false }
    get(`${url}/changes?${query}`, options, resolve).on('error', reject)
  })
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  response.on('error', () => undefined)
  return {
    close: () => response.destroy(),
    get text() {
      return text
    },
    get revisions() {
      return [...text.matchAll(/^data: \{"revision":(\d+),/gm)].map(([, digits]) => Number(digits))
    },
    /** The revision of the last id, which a client comes back with. */
    get reached() {
      return Number([...text.matchAll(/^id: [^:]+:(\d+):/gm)].at(-1)?.[1] ?? 0)
    },
  }
}

describe('streams of the journal that are narrowed', () => {
  it('give each reader what it asked for, though they stand at the same place', () =>
    withServer(async (scope) => {
      const streams = await Promise.all(
        ['after=0&name=a', 'after=0&name=b', 'after=0&name=a&name=b', 'after=0&kind=node', 'after=0'].map(
          (query) => follow(scope, query),
        ),
      )
      await register(scope, named('a'))
      await register(scope, named('b'))
      await scope.ask('/knowledge-graph/nodes/team:t', { method: 'PUT', json: {} })
      await register(scope, named('c'))
      await until(() => streams.every(({ reached }) => reached === 4))
      expect(streams.map(({ revisions }) => revisions)).toEqual([[1], [2], [1, 2], [3], [1, 2, 3, 4]])
      for (const stream of streams) stream.close()
    }))

  it('follow an edge by the node at either end of it', () =>
    withServer(async (scope) => {
      const [source, target] = await Promise.all([
        follow(scope, 'after=0&name=team:t'),
        follow(scope, 'after=0&name=service:cart'),
      ])
      await scope.ask('/knowledge-graph/edges/team:t,owns,service:cart', { method: 'PUT', json: {} })
      await until(() => source.reached === 1 && target.reached === 1)
      expect([source.revisions, target.revisions]).toEqual([[1], [1]])
      source.close()
      target.close()
    }))
})

describe('a snapshot', () => {
  it('has every record of every kind, kinds in order, and counts them all', () =>
    withServer(async (scope) => {
      await scope.ask('/knowledge-graph/nodes/team:t', { method: 'PUT', json: { label: 'T' } })
      await register(scope)
      await scope.ask('/knowledge-graph/edges/team:t,owns,service:cart', { method: 'PUT', json: {} })
      const [first, ...records] = (await scope.ask('/snapshot')).text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      const { position, at } = scope.live.view
      expect(first).toEqual({ position, at: new Date(at).toISOString(), records: 3 })
      expect(records.map(({ kind, revision }) => [kind, revision])).toEqual([
        ['edge', 3],
        ['node', 1],
        ['service', 2],
      ])
      for (const { createdAt, updatedAt, data } of records) {
        expect(createdAt).toBe(updatedAt)
        expect(Date.parse(createdAt)).toBeLessThanOrEqual(at)
        expect(data).toBeTypeOf('object')
      }
    }))
})

describe('the warnings of a registration', () => {
  it('are all of those of its fields and of its place in the graph, in that order', () =>
    withServer(async (scope) => {
      const { body } = await scope.ask('/register', {
        json: named('w', { tag: ['x'], dependencies: ['gone1', { serviceName: 'gone2' }, 'w'] }),
      })
      expect(body.warnings.map(({ code, path }: { code: string; path: string }) => [code, path])).toEqual([
        ['unknown_field', '/tag'],
        ['unknown_dependency', '/dependencies/0'],
        ['unknown_dependency', '/dependencies/1'],
        ['dependency_cycle', '/dependencies'],
      ])
      expect(body.warnings[3].message).toContain('w -> w')
    }))

  it('of one that is only looked at call nobody unknown who would be registered by it', () =>
    withServer(async ({ ask }) => {
      const { body } = await ask('/register?dryRun=true', {
        json: named('w', { dependencies: ['w', 'gone'] }),
      })
      expect(body.warnings.map(({ code, path }: { code: string; path: string }) => [code, path])).toEqual([
        ['unknown_dependency', '/dependencies/1'],
        ['dependency_cycle', '/dependencies'],
      ])
    }))

  it('name the place that a dependency has now, not the one that it had', () =>
    withServer(async ({ ask }) => {
      const place = async (dependencies: readonly unknown[]) => {
        const { body } = await ask('/register', { json: named('w', { dependencies }) })
        return body.warnings.map(({ path }: { path: string }) => path)
      }
      await ask('/register', { json: named('b') })
      expect(await place(['b', 'gone'])).toEqual(['/dependencies/1'])
      expect(await place(['b', 'gone'])).toEqual(['/dependencies/1'])
      expect(await place(['gone', 'b'])).toEqual(['/dependencies/0'])
      // The same edges, with a repetition.
      expect(await place(['b', 'b', { serviceName: 'gone', version: '^1' }])).toEqual(['/dependencies/2'])
      await ask('/register', { json: named('gone') })
      expect(await place(['b', 'gone'])).toEqual([])
    }))

  it('are at most 32, of each registration of a batch too', () =>
    withServer(async (scope) => {
      const dependencies = Array.from({ length: 40 }, (_, at) => `gone${at}`)
      const one = await scope.ask('/register', { json: named('w', { tag: 1, dependencies }) })
      expect(one.body.warnings).toHaveLength(32)
      const batch = await scope.ask('/register/batch', {
        json: [named('x', { dependencies }), named('y', { dependencies: ['gone0'] })],
      })
      expect(batch.body.results.map(({ warnings }: { warnings: unknown[] }) => warnings.length)).toEqual([
        32, 1,
      ])
    }))

  it('name a circle whole up to eleven services, and shorten a longer one', () =>
    withServer(async (scope) => {
      const circle = async (size: number) => {
        let message = ''
        for (let at = 0; at < size; at += 1) {
          const dependencies = [`c${size}-${(at + 1) % size}`]
          const { body } = await scope.ask('/register', { json: named(`c${size}-${at}`, { dependencies }) })
          message = body.warnings.find(({ code }: { code: string }) => code === 'dependency_cycle')?.message
        }
        return message.replace(/^.*first: (.*)\.$/, '$1').split(' -> ')
      }
      const eleven = await circle(11)
      expect([eleven.length, new Set(eleven).size, eleven.includes('...')]).toEqual([12, 11, false])
      expect(eleven[0]).toBe(eleven.at(-1))
      // Eight, the dots, and three.
      const twelve = await circle(12)
      expect([twelve.length, twelve.indexOf('...')]).toEqual([12, 8])
      const [first, last] = [twelve[0], twelve.at(-1)]
      expect(first).toBe(last)
    }))
})
