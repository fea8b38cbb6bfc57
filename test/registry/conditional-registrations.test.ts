import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import type { RegistrationInput } from '../../src/records/service/service.ts'

import { conditional, etagOf } from '../support/conditional.ts'
import { dearness } from '../support/dearness.ts'
import { cart, errorOf, someone, withRegistry } from './with-registry.ts'

describe('If-Match and If-None-Match', () => {
  it.each(['', 'abc'])('a program cannot name a revision of any history: lineage "%s"', (lineage) =>
    withRegistry(async ({ registry }) => {
      const { revision } = await registry.register(cart, someone)
      const precondition = { kind: 'revision', revision, lineage } as const
      expect(await errorOf(() => registry.register(cart, { ...someone, precondition }))).toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
        outcome: 'not_written',
      })
    }),
  )

  it('lets exactly one of many win', () =>
    withRegistry(async ({ registry }) => {
      const etag = etagOf(await registry.register(cart, someone))
      const answers = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          registry.register(
            { ...cart, tags: [`t${index}`] },
            { ...someone, ...conditional({ ifMatch: etag }) },
          ),
        ),
      )
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const answer of answers)
        if (answer.status === 'rejected')
          expect(answer.reason).toMatchObject({ code: 'COORD_PRECONDITION_FAILED', extra: { actual: 2 } })
    }))

  it('keeps a service from DELETE with If-None-Match: *', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      const refused = await errorOf(() =>
        registry.deregister(serviceId, { ...someone, ...conditional({ ifNoneMatch: '*' }) }),
      )
      expect(refused).toMatchObject({ code: 'COORD_PRECONDITION_FAILED', extra: { expected: 0, actual: 1 } })
      expect(registry.get(serviceId).revision).toBe(1)
    }))

  it('takes the ETag of every answer', () =>
    withRegistry(async ({ registry }) => {
      const first = await registry.register(cart, { ...someone, ...conditional({ ifNoneMatch: '*' }) })
      const second = await registry.submitMigration(
        first.serviceId,
        { migrationFile: {} },
        { ...someone, ...conditional({ ifMatch: etagOf(first) }) },
      )
      const etag = etagOf(registry.get(first.serviceId))
      expect(etag).toBe(etagOf(second).replace(/"$/, '-unknown"'))
      await registry.deregister(first.serviceId, { ...someone, ...conditional({ ifMatch: etag }) })
      expect(registry.counts().services).toBe(0)
    }))

  const outcomes: [header: object, stored: string, missing: string][] = [
    [{ ifMatch: '*' }, 'ok', 'COORD_PRECONDITION_FAILED'],
    [{ ifNoneMatch: '*' }, 'COORD_PRECONDITION_FAILED', 'ok'],
    [{ ifMatch: '"00000000-1"' }, 'COORD_PRECONDITION_FAILED', 'COORD_PRECONDITION_FAILED'],
    [{ ifMatch: 'W/"00000000-1"' }, 'COORD_PRECONDITION_FAILED', 'COORD_PRECONDITION_FAILED'],
    [{ ifMatch: '7' }, 'COORD_HEADER_INVALID', 'COORD_HEADER_INVALID'],
    [{ ifMatch: '"00000000-0"' }, 'COORD_PRECONDITION_FAILED', 'COORD_PRECONDITION_FAILED'],
    [{ ifNoneMatch: '"00000000-1"' }, 'ok', 'ok'],
    [{ ifNoneMatch: '00000000-1' }, 'COORD_HEADER_INVALID', 'COORD_HEADER_INVALID'],
    [{ ifMatch: '*', ifNoneMatch: '*' }, 'COORD_HEADER_INVALID', 'COORD_HEADER_INVALID'],
  ]
  it.each(outcomes)('%j: %s on a service that exists, %s on one that does not', (headers, stored, missing) =>
    withRegistry(async ({ registry }) => {
      await registry.register(cart, someone)
      const outcome = async (body: RegistrationInput): Promise<string> => {
        try {
          await registry.register(body, { ...someone, ...conditional(headers) })
          return 'ok'
        } catch (thrown) {
          return (thrown as CoordinatorError).code
        }
      }
      expect(await outcome({ ...cart, tags: ['a'] })).toBe(stored)
      expect(await outcome({ ...cart, serviceName: 'missing' })).toBe(missing)
    }),
  )

  it('does not wait for a revision that does not exist', () =>
    withRegistry(async ({ registry, live }) => {
      await registry.register(cart, someone)
      const ifMatch = `"${live.view.lineage.slice(0, 8)}-999999"`
      const started = performance.now()
      expect(
        await errorOf(() => registry.register(cart, { ...someone, ...conditional({ ifMatch }) })),
      ).toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
      })
      expect(performance.now() - started).toBeLessThan(1_000 * dearness())
    }))
})
