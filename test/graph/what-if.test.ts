import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it, vi } from 'vitest'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import { GraphProcess } from '../../src/graph/past/graph-process.ts'
import { simulate } from '../../src/graph/simulate/simulate.ts'
import type { SimulatedChange } from '../../src/graph/simulate/simulated-records.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { serviceNodeId } from '../../src/records/graph/graph-id.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { atOnce } from '../../src/scheduling/pace.ts'
import { until } from '../support/with-live.ts'
import { writtenBy } from '../support/written-by.ts'
import { plainGraph, shapeOf } from './support/plain-graph.ts'
import { operations, recordOf } from './support/random-records.ts'
import { projectionOf, withGraph } from './support/with-graph.ts'

/** Ranges that no version of what is registered fulfils, and those that nobody can judge. */
function judged(records: Iterable<StoredRecord>): Record<'violated' | 'unjudged', Set<string>> {
  const services = [...records].map(
    ({ data }) =>
      JSON.parse(data) as {
        serviceName: string
        version: string
        dependencies: { serviceName: string; version: string }[]
      },
  )
  const found = { violated: new Set<string>(), unjudged: new Set<string>() }
  for (const { serviceName, dependencies } of services)
    for (const { serviceName: needed, version: range } of dependencies) {
      const versions = services.filter((one) => one.serviceName === needed).map(({ version }) => version)
      if (versions.length === 0 || versions.some((one) => one === range || semver.satisfies(one, range)))
        continue
      const isClear = semver.validRange(range) !== null && versions.every((one) => semver.valid(one) !== null)
      found[isClear ? 'violated' : 'unjudged'].add(`service:${serviceName} service:${needed} ${range}`)
    }
  return found
}

/** Registrations that say nothing to the graph, and much. */
function padding(): readonly object[] {
  const description = 'x'.repeat(1_000)
  return Array.from({ length: 130 }, (_, at) => ({
    serviceName: `padding${at}`,
    version: '1.0.0',
    endpoint: 'http://host:80',
    description,
  }))
}

describe('simulating', () => {
  it('removing the last instance breaks those that need it; removing one of two breaks nobody', () =>
    withGraph(async ({ graph, register }) => {
      const one = await register('db', { instanceId: '1' })
      await register('db', { instanceId: '2' })
      await register('api', { dependencies: ['db'] })
      await register('web', { dependencies: ['api'] })
      expect(await graph.simulate({ remove: [one] })).toMatchObject({
        safe: true,
        brokenConsumers: [],
        affected: 0,
        complete: true,
      })
      const answer = await graph.simulate({ remove: ['db'] })
      expect(answer).toMatchObject({ safe: false, affected: 2 })
      expect(answer.lostProviders.map(({ id }) => id)).toEqual(['service:db'])
      expect(answer.brokenConsumers).toEqual([
        { id: 'service:api', label: 'api', type: 'depends_on', namespace: 'default', loses: 'service:db' },
      ])
    }))

  it('takes the ids of nodes, which answers suggest, like the names', () =>
    withGraph(async ({ graph, register }) => {
      await register('flagd', { namespace: 'shop' })
      await register('flagd')
      await register('cart', { dependencies: ['flagd'] })
      const lost = async (name: string) =>
        (await graph.simulate({ remove: [name] })).lostProviders.map(({ id }) => id)
      expect(await lost('service:flagd')).toEqual(await lost('flagd'))
      expect(await lost('service:flagd')).toEqual(['service:flagd'])
      expect(await lost(serviceNodeId('flagd', 'shop'))).toEqual([serviceNodeId('flagd', 'shop')])
      await expect(graph.simulate({ remove: ['service:flags'] })).rejects.toMatchObject({
        code: 'COORD_SERVICE_NOT_FOUND',
        extra: { suggestion: 'service:flagd' },
      })
    }))

  it('what is asserted about a service does not make up for it', () =>
    withGraph(async ({ graph, register }) => {
      await register('checkout')
      await register('web', { dependencies: ['checkout', 'stripe'] })
      await graph.asserted.put({ kind: 'edge', id: 'team:shop,owns,service:checkout' }, {}, writtenBy('test'))
      await graph.asserted.put(
        { kind: 'node', id: 'service:checkout' },
        { properties: { tier: 1 } },
        writtenBy('test'),
      )
      expect(await graph.simulate({ remove: ['checkout'] })).toMatchObject({
        safe: false,
        lostProviders: [{ id: 'service:checkout' }],
        brokenConsumers: [{ id: 'service:web', loses: 'service:checkout' }],
      })
      // What nobody registers is known once it is asserted, and not once somebody owns it.
      const codes = () =>
        graph.registerWarnings({ serviceName: 'z', dependencies: ['stripe'] }).map(({ code }) => code)
      await graph.asserted.put({ kind: 'edge', id: 'team:shop,owns,service:stripe' }, {}, writtenBy('test'))
      expect(codes()).toEqual(['unknown_dependency'])
      await graph.asserted.put({ kind: 'node', id: 'service:stripe' }, {}, writtenBy('test'))
      expect(codes()).toEqual([])
      expect(await graph.simulate({ remove: ['web'] })).toMatchObject({ safe: true })
    }))

  it('what a service alone exposes, publishes or provides goes with it', () =>
    withGraph(async ({ graph, register }) => {
      const file = { apis: ['GET /a'], events: { publishes: ['done'] }, tables: ['t'] }
      await register('p', { capabilities: ['pay'], migrationFile: file })
      await register('c', {
        migrationFile: {
          calls: [{ service: 'p', method: 'GET', path: '/a' }],
          events: { subscribes: ['done'] },
          requires: ['pay'],
        },
      })
      const answer = await graph.simulate({ remove: ['p'] })
      expect(answer.lostProviders.map(({ id }) => id)).toEqual([
        'api:p:GET:%2Fa',
        'capability:pay',
        'event:done',
        'service:p',
        'table:t',
      ])
      expect(answer.brokenConsumers.map(({ id, loses }) => [id, loses])).toEqual([
        ['service:c', 'api:p:GET:%2Fa'],
        ['service:c', 'capability:pay'],
        ['service:c', 'event:done'],
      ])
      await register('q', { capabilities: ['pay'] })
      expect(
        (await graph.simulate({ remove: ['p'] })).brokenConsumers.map(({ loses }) => loses),
      ).not.toContain('capability:pay')
    }))

  it('a version out of range is named, with who asks for it', () =>
    withGraph(async ({ graph, register }) => {
      await register('lib', { version: '1.2.0', instanceId: '1' })
      await register('strict', { dependencies: [{ serviceName: 'lib', version: '^1.2' }] })
      await register('free', { dependencies: ['lib'] })
      await register('odd', { dependencies: [{ serviceName: 'lib', version: 'not a range' }] })
      expect(
        await graph.simulate({ changeVersion: [{ serviceName: 'lib', version: '1.9.0' }] }),
      ).toMatchObject({
        safe: true,
      })
      expect(
        await graph.simulate({ changeVersion: [{ serviceName: 'lib', version: '2.0.0' }] }),
      ).toMatchObject({
        safe: false,
        violatedRanges: [
          { consumer: 'service:strict', dependency: 'service:lib', range: '^1.2', versions: ['2.0.0'] },
        ],
      })
      await register('lib', { version: '1.3.0', instanceId: '2' })
      expect(
        await graph.simulate({ changeVersion: [{ serviceName: 'lib', version: '2.0.0', from: '1.2.0' }] }),
      ).toMatchObject({ safe: true })
      const newcomer = {
        serviceName: 'new',
        version: '1',
        endpoint: 'http://new',
        dependencies: [{ serviceName: 'lib', version: '>=3' }, 'missing'],
      }
      expect(await graph.simulate({ register: [newcomer] })).toMatchObject({
        violatedRanges: [{ consumer: 'service:new', range: '>=3', versions: ['1.2.0', '1.3.0'] }],
        unknownDependencies: [{ consumer: 'service:new', dependency: 'service:missing' }],
      })
    }))

  it('names exactly the ranges that nothing fulfils any more, and those that nobody can judge', () => {
    const version = fc.constantFrom('1.0.0', '1.5.0', '2.0.0', 'nightly')
    const names = ['a', 'b', 'c']
    const record = fc
      .record({
        id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5'),
        serviceName: fc.constantFrom(...names),
        version,
        needs: fc.constantFrom(...names, 'nobody'),
        range: fc.constantFrom('^1', '>=2', 'nightly', 'no range'),
      })
      .map(({ id, serviceName, version, needs, range }): StoredRecord => {
        const dependencies = [{ serviceName: needs, version: range }]
        const data = { serviceName, version, endpoint: 'http://host:80', dependencies }
        return { kind: 'service', id, data: canonicalJson(data), revision: 1, createdAt: 0, updatedAt: 0 }
      })
    const some = fc.uniqueArray(record, { maxLength: 5, selector: ({ id }) => id })
    fc.assert(
      fc.property(some, some, fc.boolean(), (stored, others, remove) => {
        const detached = new DetachedGraph()
        for (const one of stored) detached.put(one)
        const before = new Map(stored.map((one) => [one.id, one]))
        const after = new Map(before)
        for (const one of others)
          if (remove) after.delete(one.id)
          else after.set(one.id, one)
        const changes = others
          .map(({ id }) => ({ before: before.get(id), after: after.get(id) }))
          .filter((change) => change.before !== change.after)
        const told = atOnce(simulate(detached.graph, detached.records, changes))
        const shown = (ranges: typeof told.violatedRanges) =>
          ranges.map(({ consumer, dependency, range }) => `${consumer} ${dependency} ${range}`)
        const then = judged(after.values())
        for (const known of judged(before.values()).violated) then.violated.delete(known)
        expect(shown(told.violatedRanges)).toEqual([...then.violated].sort())
        // All ranges about what changes are judged, and perhaps some more of their neighbors.
        const names = changes.flatMap((change) =>
          [change.before, change.after].flatMap((one) =>
            one === undefined ? [] : `service:${JSON.parse(one.data).serviceName}`,
          ),
        )
        const unjudged = shown(told.unjudgedRanges)
        expect([...then.unjudged]).toEqual(expect.arrayContaining([...unjudged]))
        expect(unjudged).toEqual(
          expect.arrayContaining(
            [...then.unjudged].filter((range) => names.includes(range.split(' ')[1] ?? '')),
          ),
        )
        expect(told.unjudged).toBe(unjudged.length)
        const { brokenConsumers, newCycles, unknownDependencies, violatedRanges } = told
        const harm = [brokenConsumers, newCycles, unknownDependencies, violatedRanges]
        expect(told.safe).toBe(harm.every(({ length }) => length === 0))
      }),
      { numRuns: 500 },
    )
  })

  it('an edge that closes a circle is named; one that only joins it is not', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['b'] })
      await register('b', { dependencies: ['c'] })
      await register('c')
      const c = { serviceName: 'c', version: '1.0.0', endpoint: 'http://host:80' }
      expect(await graph.simulate({ register: [{ ...c, dependencies: ['a'] }] })).toMatchObject({
        newCycles: [['service:c', 'service:a', 'service:b']],
        safe: false,
      })
      expect(
        await graph.simulate({ register: [{ ...c, serviceName: 'd', dependencies: ['a'] }] }),
      ).toMatchObject({
        newCycles: [],
        safe: true,
      })
      // What would be gone at the same time closes nothing.
      expect(
        (await graph.simulate({ remove: ['b'], register: [{ ...c, dependencies: ['a'] }] })).newCycles,
      ).toEqual([])
    }))

  it('answers the same about much as about little: elsewhere, where nobody waits for it', () =>
    withGraph(async ({ graph, live, register }) => {
      const description = 'x'.repeat(300)
      for (let at = 0; at < 70; at += 1)
        await register(`s${at}`, {
          description,
          capabilities: [`c${at % 7}`],
          dependencies: at === 0 ? [] : [{ serviceName: `s${at - 1}`, version: '^1' }],
        })
      await register('user', { dependencies: ['s3'], migrationFile: { requires: ['c1'] } })
      const simulation = {
        remove: Array.from({ length: 40 }, (_, at) => `s${at}`),
        changeVersion: Array.from({ length: 20 }, (_, at) => ({
          serviceName: `s${at + 45}`,
          version: '2.0.0',
        })),
        register: [
          {
            serviceName: 's44',
            version: '1.0.0',
            endpoint: 'http://host:80',
            dependencies: ['s60', 'nobody'],
          },
        ],
      }
      const run = vi.spyOn(GraphProcess.prototype, 'run')
      const answer = await graph.simulate(simulation)
      expect(run).not.toHaveBeenCalled()
      expect(answer).toMatchObject({ safe: false, complete: true, revision: live.view.revision })
      expect(answer.newCycles).toHaveLength(1)
      const much = { ...simulation, register: [...simulation.register, ...padding()] }
      const elsewhere = await graph.simulate(much)
      expect(run).toHaveBeenCalledWith('simulate', expect.anything())
      expect(elsewhere).toEqual(answer)
      await until(() => run.mock.calls.at(-1)?.[0] === 'forget')
    }))

  it('leaves the graph as it was, whatever was asked', () => {
    fc.assert(
      fc.property(operations(25), operations(10), (history, changes) => {
        const detached = new DetachedGraph()
        const { graph } = detached
        const records = new Map<string, StoredRecord>()
        history.forEach(({ of }, at) => {
          const record = recordOf(of, at + 1)
          records.set(record.id, record)
          detached.put(record)
        })
        const before = shapeOf(graph)
        const asked = new Map<string, SimulatedChange>()
        for (const { remove, of } of changes) {
          if (of.kind !== 'service') continue
          const after = recordOf(of, 1_000)
          const before = records.get(after.id)
          if (before !== undefined || !remove)
            asked.set(after.id, { before, after: remove ? undefined : after })
        }
        const answer = atOnce(simulate(graph, detached.records, [...asked.values()]))
        expect(shapeOf(graph)).toEqual(before)
        // Broken consumers and lost providers by the plain rules.
        const then = new Map(records)
        for (const [id, { after }] of asked) {
          if (after === undefined) then.delete(id)
          else then.set(id, after)
        }
        const plain = { before: plainGraph(records.values()), after: plainGraph(then.values()) }
        const lost = [...plain.before.nodes]
          .filter(([id, { provided }]) => provided && plain.after.nodes.get(id)?.provided !== true)
          .map(([id]) => id)
        expect(answer.lostProviders.map(({ id }) => id)).toEqual(lost.sort())
        const broken = [...plain.after.edges.values()].filter(
          ({ from, to }) => lost.includes(to) && from !== to,
        )
        // Whatever the origins of an edge are, its consumer is broken once.
        const told = answer.brokenConsumers.map(({ id, type, loses }) => `${loses} ${id} ${type}`)
        const expected = new Set(broken.map(({ from, to, type }) => `${to} ${from} ${type}`))
        expect(told).toEqual([...expected].sort())
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    ['an unknown service', { remove: ['nobody'] }, 'COORD_SERVICE_NOT_FOUND'],
    [
      'a version that no instance has',
      { changeVersion: [{ serviceName: 'db', version: '2.0.0', from: '9.9.9' }] },
      'COORD_SERVICE_NOT_FOUND',
    ],
    ['a text for a list', { remove: 'db' }, 'COORD_BODY_WRONG_TYPE'],
    ['half a registration', { register: [{ serviceName: 'x' }] }, 'COORD_FIELD_MISSING'],
    ['a change to no version', { changeVersion: [{ serviceName: 'db' }] }, 'COORD_FIELD_MISSING'],
    ['a number', 7, 'COORD_BODY_WRONG_TYPE'],
    ['too much', { remove: Array.from({ length: 1_001 }, () => 'db') }, 'COORD_FIELD_TOO_LARGE'],
  ])('%s cannot be simulated', (_, body, code) =>
    withGraph(async ({ graph, register, live }) => {
      await register('db')
      const before = shapeOf(projectionOf(live))
      await expect(graph.simulate(body)).rejects.toMatchObject({ code })
      expect(shapeOf(projectionOf(live))).toEqual(before)
    }),
  )
})
