import { z } from 'zod'
import { bodyLengths } from '../../records/body/body-lengths.ts'
import { readBody } from '../../records/body/read-body.ts'
import type { IssueParameters } from '../../records/body/schema-problems.ts'
import { fits, LIMITS } from '../../records/limits.ts'
import { namespace } from '../../records/service/field-kinds.ts'
import { parseRegistration } from '../../records/service/parse-registration.ts'
import type { Registration } from '../../records/service/service.ts'
import type { Steps } from '../../scheduling/pace.ts'

/** How many records one question may change. */
export const MAX_SIMULATED_CHANGES = 1_000

const items = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .meta({ maxItems: MAX_SIMULATED_CHANGES })
    .register(bodyLengths, { maxItems: MAX_SIMULATED_CHANGES })
    .default([])

const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .refine((value) => fits(value, maxLength), {
      message: `has more than ${maxLength} characters`,
      params: { code: 'COORD_FIELD_TOO_LARGE' } satisfies IssueParameters,
    })
    .meta({ maxLength })

const inNamespace = namespace.schema.optional().meta({
  description: 'The namespace of the service. Without it: `default`.',
})

const removed = z.strictObject({ serviceName: text(LIMITS.nameLength), namespace: inNamespace })

/**
 * The body of `POST /knowledge-graph/simulate`: any of these, together. An ignored misspelling would lead to the answer `safe: true`, so
 * unknown members are refused.
 */
export const simulationSchema = z
  .strictObject({
    remove: items(z.union([text(LIMITS.nameLength), removed])).meta({
      description:
        'Names of services, with all their instances, or ids of single services. An object names a service in any namespace, a text one in `default`.',
    }),
    register: items(z.looseObject({}).register(bodyLengths, { maxBytes: LIMITS.bodyBytes })).meta({
      description: 'Registrations, as `POST /register` takes them.',
    }),
    changeVersion: items(
      z.strictObject({
        serviceName: text(LIMITS.nameLength),
        namespace: inNamespace,
        version: text(LIMITS.versionLength),
        from: text(LIMITS.versionLength)
          .optional()
          .meta({ description: 'Only instances with this version. Without it: all.' }),
      }),
    ),
  })
  .meta({ id: 'Simulation' })

/** All services with one name in one namespace. */
export interface NamedService {
  readonly serviceName: string
  /** @default `default` */
  readonly namespace?: string | undefined
}

/** The changes to simulate, as they were sent. */
export interface Simulation {
  readonly remove: readonly (string | NamedService)[]
  readonly register: readonly Registration[]
  readonly changeVersion: readonly (NamedService & {
    readonly version: string
    readonly from?: string | undefined
  })[]
}

/** Reads the changes to simulate. @throws COORD_BODY_*, COORD_FIELD_* */
export function* readSimulation(input: unknown): Steps<Simulation> {
  const simulation = readBody(simulationSchema, input)
  const register: Registration[] = []
  for (const registration of simulation.register) {
    register.push(parseRegistration(registration).registration)
    yield
  }
  return { ...simulation, register }
}
