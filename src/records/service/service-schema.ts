import { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import { bodyLengths } from '../body/body-lengths.ts'
import type { IssueParameters } from '../body/schema-problems.ts'
import { fits, LIMITS } from '../limits.ts'
import { endpointFault } from './endpoint.ts'

/** Where a service that says nothing else tells whether it works. */
export const DEFAULT_HEALTH_CHECK = '/health'

/** What one check of a field found. */
interface Fault {
  readonly code: ErrorCode
  readonly message: string
}

/** A zod check that reports our own codes. */
function rule<T>(fault: (value: T) => Fault | undefined): z.core.CheckFn<T> {
  return ({ value, issues }) => {
    const found = fault(value)
    if (found === undefined) return
    const params = { code: found.code } satisfies IssueParameters
    issues.push({ code: 'custom', input: value, message: found.message, params })
  }
}

interface TextLimits {
  readonly max: number
  readonly empty?: ErrorCode
  readonly tooLong?: ErrorCode
}

/** A text of 1 to `max` characters, of which at least one is not blank. */
function text({ max, empty = 'COORD_FIELD_INVALID', tooLong = 'COORD_FIELD_TOO_LARGE' }: TextLimits) {
  const fault = (value: string): Fault | undefined => {
    if (value.trim() === '') return { code: empty, message: 'is empty' }
    return fits(value, max) ? undefined : { code: tooLong, message: `has more than ${max} characters` }
  }
  return z.string().check(rule(fault)).meta({ minLength: 1, maxLength: max })
}

function list<T extends z.ZodType>(item: T, maxItems: number, code: ErrorCode = 'COORD_FIELD_TOO_LARGE') {
  return z.array(item).meta({ maxItems }).register(bodyLengths, { maxItems, code })
}

/** An object of any content, up to a size. */
function document(maxBytes: number) {
  const fault = (value: unknown): Fault | undefined => {
    const json = JSON.stringify(value)
    // No UTF-16 code unit takes more than three bytes: most sizes need not be counted.
    if (json.length * 3 <= maxBytes || Buffer.byteLength(json) <= maxBytes) return undefined
    return { code: 'COORD_FIELD_TOO_LARGE', message: `has more than ${maxBytes} bytes as JSON` }
  }
  return z.looseObject({}).check(rule(fault)).register(bodyLengths, { maxBytes })
}

const serviceName = text({
  max: LIMITS.nameLength,
  empty: 'COORD_NAME_EMPTY',
  tooLong: 'COORD_NAME_TOO_LONG',
})

const label = text({ max: LIMITS.labelLength })

const schemePrefix = /^[a-z][a-z0-9+.-]*:/i

function healthCheckFault(value: string): Fault | undefined {
  if (value.trim() === '') return { code: 'COORD_FIELD_INVALID', message: 'is empty' }
  if (!fits(value, LIMITS.healthCheckLength))
    return { code: 'COORD_FIELD_TOO_LARGE', message: `has more than ${LIMITS.healthCheckLength} characters` }
  if (!schemePrefix.test(value)) return undefined
  const fault = endpointFault(value)
  return fault === undefined ? undefined : { code: 'COORD_FIELD_INVALID', message: fault.message }
}

const dependencySchema = z
  .union([
    serviceName,
    z.object({
      serviceName,
      version: text({ max: LIMITS.dependencyVersionLength })
        .optional()
        .meta({ description: 'The semver range of versions that this service can use.' }),
      type: text({ max: LIMITS.dependencyTypeLength })
        .optional()
        .meta({ description: 'How it is used, such as `http`, `grpc`, `database`, `queue`.' }),
    }),
  ])
  .meta({ description: 'A service that this one needs: its name, or an object with more about it.' })

function ttlFault(value: number): Fault | undefined {
  return Number.isInteger(value) && value >= 1 && value <= LIMITS.ttlSeconds
    ? undefined
    : { code: 'COORD_FIELD_INVALID', message: `must be a whole number from 1 to ${LIMITS.ttlSeconds}` }
}

/** What `migrationFile` holds is documented with the knowledge graph; what it does not know, it keeps. */
const migrationFile = document(LIMITS.migrationFileBytes).meta({
  description:
    'What the service brings along; makes it `active`. Whatever it holds is kept; the knowledge graph understands `apis` (or `apiEndpoints`, `endpoints`), `calls`, `tables`, `events`, `capabilities`, `requires` and `dependencies`, as docs/migration-file.schema.json describes them.',
})

/** What a service sends to register. */
export const registrationSchema = z.object({
  serviceName: serviceName.meta({ description: 'The name under which others know the service.' }),
  version: text({
    max: LIMITS.versionLength,
    empty: 'COORD_VERSION_EMPTY',
    tooLong: 'COORD_VERSION_TOO_LONG',
  }).meta({ description: 'The version that runs, best a semantic one such as `1.4.0`.' }),
  endpoint: z.string().check(rule(endpointFault)).meta({
    description: 'Where the service is reached: an absolute http, https or grpc URL without credentials.',
    format: 'uri',
    maxLength: LIMITS.endpointLength,
  }),
  healthCheck: z
    .string()
    .check(rule(healthCheckFault))
    .meta({
      description: 'Path or URL that tells whether the service works.',
      minLength: 1,
      maxLength: LIMITS.healthCheckLength,
    })
    .default(DEFAULT_HEALTH_CHECK),
  description: z
    .string()
    .check(
      rule((value: string) =>
        fits(value, LIMITS.descriptionLength)
          ? undefined
          : {
              code: 'COORD_FIELD_TOO_LARGE' as const,
              message: `has more than ${LIMITS.descriptionLength} characters`,
            },
      ),
    )
    .meta({ description: 'What the service does, for people.', maxLength: LIMITS.descriptionLength })
    .optional(),
  metadata: document(LIMITS.metadataBytes)
    .meta({ description: 'Anything else; texts, numbers and booleans can be filtered by.' })
    .default({}),
  tags: list(label, LIMITS.tags, 'COORD_TAGS_TOO_MANY').default([]),
  capabilities: list(label, LIMITS.capabilities)
    .meta({ description: 'What the service can do for others, such as `payments.refund`.' })
    .default([]),
  dependencies: list(dependencySchema, LIMITS.dependencies).default([]),
  instanceId: text({ max: LIMITS.instanceIdLength })
    .meta({
      description: 'Names one of several instances: then version and endpoint may change under one id.',
    })
    .optional(),
  ttlSeconds: z
    .number()
    .check(rule(ttlFault))
    .meta({
      description: 'The service promises a heartbeat at least this often; without one it expires.',
      type: 'integer',
      minimum: 1,
      maximum: LIMITS.ttlSeconds,
    })
    .optional(),
  migrationFile: migrationFile.optional(),
})

/** The second stage of a registration. */
export const migrationSchema = z.object({ migrationFile })
