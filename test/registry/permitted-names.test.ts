import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import { problemDocument } from '../../src/http/answering/problem.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { RegisterAnswer, WriteContext } from '../../src/registry/registry.ts'
import { commitOf } from '../conformance/build.ts'
import { conditional } from '../support/conditional.ts'
import { withTwoCoordinators } from '../support/with-two-coordinators.ts'
import { writtenBy, writtenWith } from '../support/written-by.ts'
import { cart, errorOf, type RegistryScope, someone, withRegistry } from './with-registry.ts'

const cartToken = writtenWith(['register:cart'])
const stock = { ...cart, serviceName: 'stock', endpoint: 'http://stock:7070' }
const migration = { migrationFile: { tables: ['t'] } }

/** Writes a service by hand, as a person does in the database. */
function byHand({ live }: RegistryScope, id: string, data: object): Promise<unknown> {
  const text = canonicalJson(data as Parameters<typeof canonicalJson>[0])
  return live.commit(commitOf({ op: 'put', kind: 'service', id, data: text }))
}

/** Every operation on a service by its id. */
const operations: Readonly<
  Record<string, (scope: RegistryScope, id: string, context: WriteContext) => unknown>
> = {
  'the second stage': ({ registry }, id, context) => registry.submitMigration(id, migration, context),
  'a heartbeat': ({ registry }, id, context) => registry.heartbeat(id, undefined, context),
  'a malformed heartbeat': ({ registry }, id, context) => registry.heartbeat(id, { status: 7 }, context),
  deregistering: ({ registry }, id, context) => registry.deregister(id, context),
}

/** The answer as the client gets it. */
function answerOf(error: CoordinatorError): object {
  return problemDocument(error)
}

describe('registering', () => {
  it('is permitted for names that the scopes cover, and names the missing scope for others', () =>
    withRegistry(async ({ registry, live }) => {
      const answer = await registry.register(cart, cartToken)
      expect(answer).toMatchObject({ created: true, revision: 1 })
      expect(await errorOf(() => registry.register(stock, cartToken))).toMatchObject({
        code: 'COORD_SCOPE_MISSING',
        status: 403,
        outcome: 'not_written',
        detail: 'This needs the scope `register:stock`.',
        extra: { scope: 'register:stock' },
      })
      expect(live.view.revision).toBe(1)
    }))

  it.each([
    ['a b/c', 'register:a%20b%2Fc'],
    ['50%', 'register:50%25'],
    ['kasse-ü', 'register:kasse-%C3%BC'],
    ['cart*', 'register:cart%2A'],
  ])('names the scope of %j so that it covers this name and no other', (serviceName, scope) =>
    withRegistry(async ({ registry }) => {
      const body = { ...cart, serviceName }
      expect((await errorOf(() => registry.register(body, cartToken))).detail).toContain(`\`${scope}\``)
      expect(await registry.register(body, writtenWith([scope]))).toMatchObject({ created: true })
      const longer = { ...cart, serviceName: `${serviceName}x` }
      expect(await errorOf(() => registry.register(longer, writtenWith([scope])))).toMatchObject({
        code: 'COORD_SCOPE_MISSING',
      })
    }),
  )

  it.each([['read'], ['graph'], ['metrics'], ['register:*'], ['register:*/*'], ['admin']])(
    'needs more than `read`, `graph` or `metrics`: %s',
    (scope) =>
      withRegistry(async ({ registry }) => {
        const written = registry.register(cart, writtenWith([scope]))
        if (/^(register|admin)/.test(scope)) expect((await written).created).toBe(true)
        else await expect(written).rejects.toMatchObject({ code: 'COORD_SCOPE_MISSING' })
      }),
  )

  it('judges the items of a batch one by one, and stores those that are permitted', () =>
    withRegistry(async ({ registry, live }) => {
      const { results } = await registry.registerBatch(
        [cart, stock, { ...cart, serviceName: '' }, { ...cart, version: '2.0.0' }],
        cartToken,
      )
      expect(results).toMatchObject([
        { created: true },
        {
          code: 'COORD_SCOPE_MISSING',
          outcome: 'not_written',
          detail: expect.stringContaining('register:stock'),
        },
        { code: 'COORD_NAME_EMPTY' },
        { created: true },
      ])
      expect([...live.view.records.of('service')].length).toBe(2)
    }))

  it('replaces no record that a person gave the name of another service', () =>
    withRegistry(async (scope) => {
      const { registry, live } = scope
      const { serviceId } = await registry.register(cart, cartToken)
      await byHand(scope, serviceId, { ...stock, metadata: { secret: 'x' } })
      const bodies = [cart, { ...cart, ...migration }]
      for (const body of bodies) {
        const error = await errorOf(() => registry.register(body, cartToken))
        expect(error).toMatchObject({ code: 'COORD_SCOPE_MISSING', outcome: 'not_written' })
        expect(JSON.stringify(answerOf(error))).not.toMatch(/stock|secret/)
      }
      expect(live.view.revision).toBe(2)
      expect(await registry.register(cart, writtenWith(['register:cart', 'register:stock']))).toMatchObject({
        serviceId,
        revision: 3,
      })
    }))

  it('replaces a record of its own name that a person has damaged', () =>
    withRegistry(async (scope) => {
      const { serviceId } = await scope.registry.register(cart, cartToken)
      await byHand(scope, serviceId, { serviceName: 7 })
      expect(await scope.registry.register(cart, cartToken)).toMatchObject({ serviceId, revision: 3 })
    }))

  it('of an instance is judged by its name, whatever its instanceId and version', () =>
    withRegistry(async ({ registry }) => {
      const instance = { ...cart, instanceId: 'stock' }
      const { serviceId } = await registry.register(instance, cartToken)
      expect(await registry.register({ ...instance, version: '9.0.0' }, cartToken)).toMatchObject({
        serviceId,
        created: false,
      })
      await expect(registry.register({ ...stock, instanceId: 'cart' }, cartToken)).rejects.toMatchObject({
        code: 'COORD_SCOPE_MISSING',
      })
    }))
})

describe('operations by id', () => {
  it('are permitted for services whose stored name is covered', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      expect(registry.heartbeat(serviceId, undefined, cartToken)).toMatchObject({ health: 'up' })
      expect(await registry.submitMigration(serviceId, migration, cartToken)).toMatchObject({
        status: 'active',
      })
      expect(await registry.deregister(serviceId, cartToken)).toMatchObject({ changed: true })
    }))

  it.each(Object.keys(operations))(
    'answer exactly the same for what is not yours, never was, is gone, or cannot be: %s',
    (name) =>
      withRegistry(async (scope) => {
        const { registry, live } = scope
        const operate = operations[name] as (typeof operations)[string]
        const foreign = await registry.register(
          { ...stock, migrationFile: { big: 'x'.repeat(100_000) } },
          someone,
        )
        const gone = await registry.register({ ...cart, version: '2.0.0' }, cartToken)
        await registry.deregister(gone.serviceId, cartToken)
        const damaged = await registry.register({ ...stock, version: '2.0.0' }, someone)
        await byHand(scope, damaged.serviceId, { serviceName: 7 })
        const renamed = await registry.register({ ...cart, version: '3.0.0' }, cartToken)
        await byHand(scope, renamed.serviceId, stock)
        const { revision, lineage } = live.view
        const ids = [foreign, gone, damaged, renamed].map(({ serviceId }) => serviceId)
        const mark = lineage.slice(0, 8)
        const conditions = [
          {},
          conditional({ ifMatch: '*' }),
          conditional({ ifNoneMatch: '*' }),
          conditional({ ifMatch: `"${mark}-${foreign.revision}"` }),
          conditional({ ifMatch: `"${mark}-999"` }),
          conditional({ ifMatch: '"00000000-1"' }),
          { idempotencyKey: 'k' },
        ]
        for (const condition of conditions) {
          const answers: object[] = []
          for (const id of [...ids, crypto.randomUUID(), 'x'.repeat(2_000), '\ud800', '\0']) {
            const error = await errorOf(() => operate(scope, id, { ...cartToken, ...condition }))
            answers.push(answerOf(error))
          }
          // A precondition about another history fails for every record, and is judged first.
          const [first, ...others] = answers.slice(0, 5)
          for (const other of others) expect(other).toEqual(first)
          if (!JSON.stringify(condition).includes('00000000')) {
            expect(answers).toEqual(answers.map(() => first))
            expect(first).toMatchObject({ code: 'COORD_SERVICE_NOT_FOUND', status: 404 })
          }
          expect(JSON.stringify(answers)).not.toMatch(/stock|deletedAtRevision/)
        }
        expect(live.view.revision).toBe(revision)
      }),
  )

  it('tell who may change everything when the service was deregistered', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      await registry.deregister(serviceId, someone)
      for (const context of [someone, writtenWith(['admin'])])
        expect(await errorOf(() => registry.deregister(serviceId, context))).toMatchObject({
          code: 'COORD_SERVICE_NOT_FOUND',
          extra: { deletedAtRevision: 2 },
        })
    }))

  it('answer strangers without taking a heartbeat, or reading its body', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(stock, someone)
      await errorOf(() => registry.heartbeat(serviceId, { status: 'down' }, cartToken))
      expect(JSON.parse(registry.get(serviceId).json)).toMatchObject({
        health: 'unknown',
        lastHeartbeat: null,
      })
    }))

  it('repeat the first result of the owner, although the service is gone by now', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, cartToken)
      const keyed = { ...cartToken, idempotencyKey: 'bye' }
      const { revision } = await registry.deregister(serviceId, keyed)
      expect(await registry.deregister(serviceId, keyed)).toEqual({
        serviceId,
        revision,
        changed: true,
        replayed: true,
      })
    }))

  it('check the conditions of the owner', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId, revision } = await registry.register(cart, cartToken)
      const etag = (at: number) => conditional({ ifMatch: `"${live.view.lineage.slice(0, 8)}-${at}"` })
      expect(
        await errorOf(() => registry.deregister(serviceId, { ...cartToken, ...etag(revision + 1) })),
      ).toMatchObject({ code: 'COORD_PRECONDITION_FAILED', extra: { actual: revision } })
      expect(await registry.deregister(serviceId, { ...cartToken, ...etag(revision) })).toMatchObject({
        changed: true,
      })
    }))
})

describe('a coordinator that is behind', () => {
  it('lets an owner change and deregister a service that it has not seen', () =>
    withTwoCoordinators(async (first, second) => {
      const { serviceId } = await first.registry.register(cart, someone)
      expect(await second.registry.submitMigration(serviceId, migration, cartToken)).toMatchObject({
        revision: 2,
      })
      const other = await first.registry.register({ ...cart, version: '2' }, someone)
      expect(await second.registry.deregister(other.serviceId, cartToken)).toMatchObject({ revision: 4 })
    }))

  it('changes nothing that got the name of another service meanwhile', () =>
    withTwoCoordinators(async (first, second) => {
      const { serviceId } = await first.registry.register(cart, someone)
      await second.live.catchUp()
      const data = canonicalJson(stock)
      await first.live.commit(commitOf({ op: 'put', kind: 'service', id: serviceId, data }))
      const refused = [
        () => second.registry.deregister(serviceId, cartToken),
        () => second.registry.submitMigration(serviceId, migration, cartToken),
        () => second.registry.register({ ...cart, ...migration }, cartToken),
      ]
      const codes: string[] = []
      for (const call of refused) codes.push((await errorOf(call)).code)
      expect(codes).toEqual(['COORD_SERVICE_NOT_FOUND', 'COORD_SERVICE_NOT_FOUND', 'COORD_SCOPE_MISSING'])
      await first.live.catchUp()
      expect(first.live.view.revision).toBe(2)
    }))
})

describe('warnings', () => {
  const needy = { ...cart, version: '2.0.0', dependencies: ['stock', 'nobody'] }
  const codesOf = ({ warnings }: RegisterAnswer) => warnings.map(({ code }) => code)

  async function prepare({ registry }: RegistryScope): Promise<void> {
    await registry.register(cart, someone)
    await registry.register({ ...stock, dependencies: ['cart'] }, someone)
  }

  it('name other versions, unknown names and cycles to readers only', () =>
    withRegistry(async (scope) => {
      await prepare(scope)
      const { registry } = scope
      const sent = { ...needy, unheardOf: 1 }
      const { serviceId, ...blind } = await registry.register(sent, cartToken)
      expect(codesOf({ serviceId, ...blind })).toEqual(['unknown_field'])
      await registry.deregister(serviceId, cartToken)
      const reader = writtenWith(['register:cart', 'read'])
      expect(codesOf(await registry.register(sent, reader))).toEqual([
        ...['unknown_field', 'other_version', 'unknown_dependency', 'dependency_cycle'],
      ])
    }))

  it('of a batch are the same', () =>
    withRegistry(async (scope) => {
      await prepare(scope)
      const [blind] = (await scope.registry.registerBatch([needy], cartToken)).results
      expect(blind).toMatchObject({ created: true, warnings: [] })
      const [seeing] = (await scope.registry.registerBatch([needy], writtenWith(['admin']))).results
      expect(codesOf(seeing as RegisterAnswer)).toContain('dependency_cycle')
    }))
})

describe('the holder of register:cart', () => {
  it('can read nothing about other services in any answer', () =>
    withRegistry(async (scope) => {
      const { registry, live } = scope
      const secret = {
        ...stock,
        description: 'top-secret-description',
        tags: ['top-secret-tag'],
        metadata: { team: 'top-secret-team' },
        dependencies: ['top-secret-dependency', 'cart'],
      }
      const other = await registry.register(secret, { ...writtenBy('token:top-secret'), idempotencyKey: 'k' })
      await registry.register({ ...cart, description: 'top-secret-cart' }, someone)
      await registry.submitMigration(other.serviceId, { migrationFile: { name: 'top-secret-file' } }, someone)
      const etag = `"${live.view.lineage.slice(0, 8)}-${live.view.revision}"`
      const contexts = [
        cartToken,
        { ...cartToken, idempotencyKey: 'k' },
        { ...cartToken, ...conditional({ ifMatch: etag }) },
        { ...cartToken, ...conditional({ ifNoneMatch: '*' }) },
        { ...cartToken, idempotencyKey: 'k', ...conditional({ ifMatch: '*' }) },
      ]
      const answers: unknown[] = []
      const note = async (call: () => unknown) => {
        try {
          answers.push(await call())
        } catch (thrown) {
          answers.push(answerOf(thrown as CoordinatorError))
        }
      }
      const newer = { ...cart, version: '2.0.0', dependencies: ['stock', 'nobody'] }
      for (const context of contexts) {
        for (const body of [cart, newer, secret, { ...stock, ...migration }])
          await note(() => registry.register(body, context))
        const { precondition: _, ...unconditional } = context as WriteContext
        await note(() => registry.registerBatch([newer, secret, cart], unconditional))
        for (const operate of Object.values(operations))
          await note(() => operate(scope, other.serviceId, context))
      }
      expect(answers).toHaveLength(contexts.length * 9)
      expect(JSON.stringify(answers)).not.toMatch(/top-secret|stock:7070|other_version|dependency/)
      expect(JSON.stringify(answers)).not.toContain(other.serviceId)
      expect(registry.get(other.serviceId).json).toContain('top-secret-description')
    }))
})
