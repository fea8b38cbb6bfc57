import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import { answerQuestion } from '../../src/graph/questions/answer-question.ts'
import { simulate } from '../../src/graph/simulate/simulate.ts'
import { registerWarnings } from '../../src/graph/warnings/register-warnings.ts'
import { canonicalJson, type JsonObject } from '../../src/records/canonical-json.ts'
import { parseNodeId, serviceNodeId } from '../../src/records/graph/graph-id.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { atOnce } from '../../src/scheduling/pace.ts'
import { withGraph } from './support/with-graph.ts'

function recordOf(id: string, data: JsonObject): StoredRecord {
  return { kind: 'service', id, data: canonicalJson(data), revision: 1, createdAt: 0, updatedAt: 0 }
}

/** A system of the examples, in a namespace. */
function system(name: string, namespace: string): readonly StoredRecord[] {
  const services = JSON.parse(readFileSync(`examples/data/${name}.json`, 'utf8')) as JsonObject[]
  return services.map((data) =>
    recordOf(`${namespace} ${data['serviceName']}`, {
      ...data,
      namespace,
      // Both provide, own and publish things of the same names.
      migrationFile: {
        apis: ['GET /'],
        tables: ['orders'],
        events: { publishes: ['done'] },
        capabilities: ['pay'],
        requires: ['pay'],
      },
    }),
  )
}

describe('two systems with services of the same names, in two namespaces', () => {
  const systems = [system('opentelemetry-demo', 'astronomy'), system('online-boutique', 'boutique')]
  const both = new DetachedGraph()
  for (const record of systems.flat()) both.put(record)
  const { graph } = both

  it('share names', () => {
    expect(graph.isResolved(graph.find('service:@astronomy:frontend'))).toBe(true)
    expect(graph.isResolved(graph.find('service:@boutique:frontend'))).toBe(true)
    expect(graph.find('service:frontend')).toBe(-1)
  })

  it('never touch: every answer about one is the answer that it has alone', () => {
    let asked = 0
    for (const records of systems) {
      const alone = new DetachedGraph()
      for (const record of records) alone.put(record)
      for (const node of alone.graph.nodes()) {
        const of = alone.graph.idOf(node)
        for (const ask of ['impact', 'dependencies', 'neighbors'] as const) {
          const question = { ask, of, limit: 10_000 }
          expect(answerQuestion(graph, question)).toEqual(answerQuestion(alone.graph, question))
          asked += 1
        }
      }
    }
    expect(asked).toBeGreaterThan(200)
  })

  it('are each a part of the graph: lists of a namespace are those that it has alone', () => {
    systems.forEach((records, at) => {
      const namespace = ['astronomy', 'boutique'][at] as string
      const alone = new DetachedGraph()
      for (const record of records) alone.put(record)
      for (const ask of ['cycles', 'critical', 'orphans', 'unresolved'] as const) {
        const here = answerQuestion(graph, { ask, namespace, limit: 100 })
        expect(here).toEqual(answerQuestion(alone.graph, { ask, limit: 100 }))
      }
    })
  })
})

interface Declared {
  readonly serviceName: string
  readonly namespace: string
  readonly dependencies: readonly { readonly serviceName: string; readonly namespace?: string }[]
}

const namespaces = ['default', 'shop', 'blog']
const names = ['a', 'b', 'c', 'd']
const declared = fc.record({
  serviceName: fc.constantFrom(...names),
  namespace: fc.constantFrom(...namespaces),
  dependencies: fc.array(
    fc.record(
      { serviceName: fc.constantFrom(...names), namespace: fc.constantFrom(...namespaces) },
      { requiredKeys: ['serviceName'] },
    ),
    { maxLength: 3 },
  ),
})

/** As a registration stores it. */
function stored({ serviceName, namespace, dependencies }: Declared, id: number): StoredRecord {
  return recordOf(`s-${id}`, {
    serviceName,
    ...(namespace === 'default' ? {} : { namespace }),
    version: '1.0.0',
    endpoint: 'http://host:80',
    dependencies: dependencies.map((needed) =>
      needed.namespace === undefined ? needed.serviceName : { ...needed, namespace: needed.namespace },
    ),
  })
}

/** A service by its namespace and name, as a text of its own: nothing here is made by the code under test. */
const keyOf = (namespace: string, serviceName: string) => `${namespace}/${serviceName}`
const keyOfId = (id: string) => {
  const { namespace, parts } = parseNodeId(id) as NonNullable<ReturnType<typeof parseNodeId>>
  return keyOf(namespace, parts.join())
}
const idOf = (key: string) => {
  const [namespace = '', name = ''] = key.split('/')
  return serviceNodeId(name, namespace)
}

/** For each service, those that it needs. Names that nobody registers are in it, too. */
function needsOf(services: readonly Declared[]): ReadonlyMap<string, ReadonlySet<string>> {
  const needs = new Map<string, Set<string>>()
  const at = (key: string) => needs.get(key) ?? (needs.set(key, new Set()).get(key) as Set<string>)
  for (const { serviceName, namespace, dependencies } of services)
    for (const needed of [undefined, ...dependencies]) {
      const own = at(keyOf(namespace, serviceName))
      if (needed === undefined) continue
      const other = keyOf(needed.namespace ?? namespace, needed.serviceName)
      own.add(other)
      at(other)
    }
  return needs
}

function neededBy(needs: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    [...needs.keys()].map((key) => [
      key,
      new Set([...needs].filter(([, others]) => others.has(key)).map(([other]) => other)),
    ]),
  )
}

function reachedFrom(starts: Iterable<string>, next: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const found = new Set(starts)
  for (const key of found) for (const other of next.get(key) ?? []) found.add(other)
  for (const start of starts) found.delete(start)
  return found
}

const graphOf = (services: readonly Declared[]) => {
  const detached = new DetachedGraph()
  for (const [at, service] of services.entries()) detached.put(stored(service, at))
  return detached
}
const keysOf = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => keyOfId(id)).sort()

describe('answers with namespaces equal those found by brute force', () => {
  it('dependencies and impact, whether a node is named by its id or by name and namespace', () => {
    fc.assert(
      fc.property(fc.array(declared, { maxLength: 12 }), (services) => {
        const { graph } = graphOf(services)
        const needs = needsOf(services)
        expect(graph.nodeCount).toBe(needs.size)
        for (const key of needs.keys()) {
          const [namespace = '', of = ''] = key.split('/')
          for (const [ask, next] of [
            ['dependencies', needs],
            ['impact', neededBy(needs)],
          ] as const) {
            const answer = answerQuestion(graph, { ask, of, namespace })
            expect(answer).toEqual(answerQuestion(graph, { ask, of: idOf(key) }))
            expect(keysOf(answer.nodes)).toEqual([...reachedFrom([key], next)].sort())
            for (const node of answer.nodes) expect(`${node.namespace}/${node.label}`).toBe(keyOfId(node.id))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('simulations: what is lost, who loses it, and how many that affects', () => {
    fc.assert(
      fc.property(
        fc.array(declared, { maxLength: 10 }),
        fc.array(declared, { maxLength: 3 }),
        fc.constantFrom(...namespaces),
        fc.constantFrom(...names),
        (services, others, namespace, serviceName) => {
          const { graph, records } = graphOf(services)
          const gone = (one: Declared) => one.namespace === namespace && one.serviceName === serviceName
          const changes = [
            ...services.flatMap((one, at) => (gone(one) ? [{ before: stored(one, at) }] : [])),
            ...others.map((one, at) => ({ after: stored(one, 100 + at) })),
          ]
          const answer = atOnce(simulate(graph, records, changes))
          const [before, after] = [services, [...services.filter((one) => !gone(one)), ...others]]
          const registered = (all: readonly Declared[]) =>
            new Set(all.map((one) => keyOf(one.namespace, one.serviceName)))
          const lost = [...registered(before)].filter((key) => !registered(after).has(key))
          const needs = needsOf(after)
          const broken = [...needs].flatMap(([key, needed]) =>
            lost.filter((one) => one !== key && needed.has(one)).map((one) => `${one} ${key}`),
          )
          expect(keysOf(answer.lostProviders)).toEqual(lost.sort())
          expect(
            answer.brokenConsumers.map(({ id, loses }) => `${keyOfId(loses)} ${keyOfId(id)}`).sort(),
          ).toEqual(broken.sort())
          expect(answer.affected).toBe(reachedFrom(lost, neededBy(needs)).size)
          const known = needsOf(before)
          const unknown = [...needsOf(others)].flatMap(([key, needed]) =>
            [...needed]
              .filter((one) => !registered(after).has(one) && known.get(key)?.has(one) !== true)
              .map((one) => `${key} ${one}`),
          )
          const told = answer.unknownDependencies.map(
            ({ consumer, dependency }) => `${keyOfId(consumer)} ${keyOfId(dependency)}`,
          )
          expect(told.sort()).toEqual(unknown.sort())
        },
      ),
      { numRuns: 500 },
    )
  })
})

const elsewhere = { serviceName: 'flagd', namespace: 'platform' }

describe('a dependency', () => {
  it('given as a name is looked for in the namespace of its service, and nowhere else', () =>
    withGraph(async ({ graph, register }) => {
      await register('flagd')
      await register('flagd', { namespace: 'platform' })
      await register('cart', { namespace: 'shop', dependencies: ['flagd'] })
      expect(await graph.ask({ ask: 'unresolved' })).toMatchObject({
        nodes: [
          {
            id: 'service:@shop:flagd',
            namespace: 'shop',
            referencedBy: ['service:@shop:cart'],
            elsewhere: ['default', 'platform'],
          },
        ],
      })
      expect((await graph.ask({ ask: 'impact', of: 'flagd' })).total).toBe(0)
      expect((await graph.ask({ ask: 'impact', of: 'flagd', namespace: 'platform' })).total).toBe(0)
      await register('cart', { namespace: 'shop', dependencies: [elsewhere] })
      expect(await graph.ask({ ask: 'impact', of: 'flagd', namespace: 'platform' })).toMatchObject({
        of: 'service:@platform:flagd',
        nodes: [{ id: 'service:@shop:cart' }],
      })
      expect((await graph.ask({ ask: 'unresolved' })).total).toBe(0)
      expect(await graph.rebuild()).toMatchObject({ differencesTotal: 0 })
    }))

  it('that nobody registers has a warning, which names a service of that name in another namespace', () =>
    withGraph(async ({ graph, register, commit }) => {
      const warned = (namespace: string | undefined, ...dependencies: (string | JsonObject)[]) =>
        graph
          .registerWarnings({
            serviceName: 'web',
            ...(namespace === undefined ? {} : { namespace }),
            dependencies,
          })
          .map(({ message }) => message)
      expect(warned(undefined, 'flagd')).toEqual([
        'No service is registered as "flagd": check the name, or register it.',
      ])
      expect(warned('shop', 'flagd')).toEqual([
        'No service is registered as "flagd" in the namespace "shop": check the name, or register it.',
      ])
      const id = await register('flagd', { namespace: 'platform' })
      const there =
        ' The namespace "platform" has a service of that name. To depend on it, write {"serviceName":"flagd","namespace":"platform"}.'
      expect(warned(undefined, 'flagd')).toEqual([
        `No service is registered as "flagd": check the name, or register it.${there}`,
      ])
      expect(warned('shop', 'flagd', { serviceName: 'flagd', namespace: 'default' })).toEqual([
        `No service is registered as "flagd" in the namespace "shop": check the name, or register it.${there}`,
        `No service is registered as "flagd" in the namespace "default": check the name, or register it.${there}`,
      ])
      expect(warned('shop', elsewhere)).toEqual([])
      expect(warned('platform', 'flagd')).toEqual([])
      await commit({ op: 'delete', kind: 'service', id })
      expect(warned('platform', 'flagd')).toEqual([
        'No service is registered as "flagd" in the namespace "platform": check the name, or register it.',
      ])
    }))

  it('has a short warning however many namespaces have a service of that name', () => {
    const detached = new DetachedGraph()
    const records = Array.from({ length: 20_000 }, (_, at) =>
      recordOf(`s-${at}`, { serviceName: 'a', namespace: `n${at}` }),
    )
    for (const record of records) detached.put(record)
    const { graph } = detached
    const dependencies = Array.from({ length: 100 }, (_, at) => ({ serviceName: 'a', namespace: `x${at}` }))
    const warnings = registerWarnings(graph, { serviceName: 'b', dependencies })
    expect(warnings).toHaveLength(100)
    for (const { message } of warnings) expect(message.length).toBeLessThan(300)
    expect(graph.namespacesOf('service:a')).toEqual([])
    for (const record of records.slice(100)) detached.remove(record)
    expect(graph.namespacesOf('service:@x0:a')).toEqual(
      Array.from({ length: 100 }, (_, at) => `n${at}`).sort(),
    )
    for (const record of records.slice(0, 100)) detached.remove(record)
    expect([graph.namespacesOf('service:a'), graph.nodeCount]).toEqual([[], 0])
  })

  it('on itself is one on the same name in the same namespace', () =>
    withGraph(async ({ graph, register }) => {
      await register('web')
      const codes = (dependency: JsonObject) =>
        graph
          .registerWarnings({ serviceName: 'web', namespace: 'shop', dependencies: [dependency] })
          .map(({ code }) => code)
      expect(codes({ serviceName: 'web' })).toEqual(['dependency_cycle'])
      expect(codes({ serviceName: 'web', namespace: 'default' })).toEqual([])
      expect(codes({ serviceName: 'web', namespace: 'blog' })).toEqual(['unknown_dependency'])
    }))

  it('that closes a circle over two namespaces is named with them', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: [{ serviceName: 'b', namespace: 'shop' }] })
      const [warning] = graph.registerWarnings({
        serviceName: 'b',
        namespace: 'shop',
        dependencies: [{ serviceName: 'a', namespace: 'default' }],
      })
      expect(warning?.message).toContain('shop/b -> a -> shop/b')
    }))
})
