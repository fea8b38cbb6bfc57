import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { simulationSchema } from '../../src/graph/simulate/simulation.ts'
import { surelyExceeds } from '../../src/records/body/body-lengths.ts'
import { jsonProblems } from '../../src/records/body/check-json.ts'
import { readBody, tryBody } from '../../src/records/body/read-body.ts'
import { edgeBodySchema, nodeBodySchema } from '../../src/records/graph/graph-schema.ts'
import { LIMITS } from '../../src/records/limits.ts'
import { Remarks } from '../../src/records/remarks.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { dependencyFields } from '../../src/records/service/registration-fields.ts'
import { migrationSchema, registrationSchema } from '../../src/records/service/service.ts'
import { heartbeatSchema } from '../../src/registry/heartbeats.ts'

const schemas: Readonly<Record<string, z.ZodObject>> = {
  registrationSchema,
  migrationSchema,
  nodeBodySchema,
  edgeBodySchema,
  simulationSchema,
  heartbeatSchema,
}

const word = fc.oneof(
  fc.constantFrom('', 'a', '1.0.0', 'http://a', 'up', 'x'.repeat(300)),
  fc.jsonValue({ maxDepth: 1 }),
)
/** Bodies that are right, nearly right, and wrong, for a schema. */
const bodyOf = (schema: z.ZodObject) =>
  fc.oneof(
    fc.record(
      Object.fromEntries(
        Object.keys(schema.shape).map((key) => [
          key,
          fc.oneof(
            word,
            fc.array(word, { maxLength: 3 }),
            fc.array(fc.record({ serviceName: word, version: word }, { requiredKeys: [] }), { maxLength: 3 }),
            fc.dictionary(fc.constantFrom('a', 'b'), word, { maxKeys: 2 }),
          ),
        ]),
      ),
      { requiredKeys: [] },
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )

/** The members that are `null` and may be left out are left out, at the top and in dependencies. */
function withoutNulls(shape: Readonly<Record<string, z.ZodType>>, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const schema = shape[key]
      if (member === null && (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)) return []
      const items = key === 'dependencies' && Array.isArray(member) ? member : undefined
      return [[key, items?.map((item) => withoutNulls(dependencyFields.schema.shape, item)) ?? member]]
    }),
  )
}

describe('readBody', () => {
  it.each(Object.entries(schemas))(
    'reads the same as zod by %s, refuses the same, and takes null for nothing',
    (_, schema) => {
      fc.assert(
        fc.property(bodyOf(schema), (body) => {
          // What no database keeps as it was sent is refused before any schema sees it.
          fc.pre(jsonProblems(body).length === 0)
          const whole = schema.safeParse(withoutNulls(schema.shape, body))
          const parts = tryBody(schema, body)
          expect('data' in parts).toBe(whole.success)
          if ('data' in parts) expect(parts.data).toEqual(whole.data)
        }),
        { numRuns: 200 },
      )
    },
  )

  it('stops at as many problems as are asked for', () => {
    const body = { serviceName: 1, tags: Array(64).fill(1), dependencies: Array(256).fill(1) }
    expect(tryBody(registrationSchema, body)).toMatchObject({ problems: { length: LIMITS.problems } })
    expect(tryBody(registrationSchema, body, 1)).toMatchObject({ problems: [{ path: '/serviceName' }] })
  })

  it('names what is too long before anything that is wrong in it', () => {
    const body = { serviceName: 1, dependencies: Array(257).fill('\0'), tags: Array(65).fill(1) }
    expect(() => readBody(registrationSchema, body)).toThrow(
      expect.objectContaining({
        errors: [
          expect.objectContaining({ path: '/tags', code: 'COORD_TAGS_TOO_MANY' }),
          expect.objectContaining({ path: '/dependencies', code: 'COORD_FIELD_TOO_LARGE' }),
        ],
      }),
    )
  })

  it('says of no JSON that it is too long where it is not', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(surelyExceeds(value, Buffer.byteLength(JSON.stringify(value)))).toBe(false)
      }),
    )
  })
})

describe('the registrations of a batch', () => {
  it('share what may be said about them, and each that is refused has a reason', () => {
    const remarks = new Remarks()
    const refusals = Array.from({ length: 100 }, () => {
      try {
        parseRegistration({ servicName: 'a', tags: Array(64).fill(1) }, remarks)
        return []
      } catch (thrown) {
        return (thrown as { errors: unknown[] }).errors
      }
    })
    expect(refusals[0]).toHaveLength(LIMITS.problems)
    expect(refusals.slice(1)).toEqual(Array(99).fill([expect.objectContaining({ path: '/serviceName' })]))
  })
})
