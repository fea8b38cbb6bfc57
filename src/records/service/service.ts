import type { z } from 'zod'
import type { Problem } from '../../errors.ts'
import { closestWord } from '../../text/closest-word.ts'
import { invalidBody, jsonPointer } from '../body/check-json.ts'
import { readBody, tryBody } from '../body/read-body.ts'
import { isJsonObject, type JsonObject } from '../canonical-json.ts'
import { LIMITS } from '../limits.ts'
import { Remarks } from '../remarks.ts'
import type { Warning } from '../warning.ts'
import { asPlainRegistration } from './plain-registration.ts'
import { DEFAULT_HEALTH_CHECK, migrationSchema, registrationSchema } from './service-schema.ts'

/** Kind of the records that hold services. */
export const SERVICE_KIND = 'service'

/** A needed service: only its name, or an object where more is known. Never an object with nothing but the name. */
export type Dependency =
  | string
  | { readonly serviceName: string; readonly version?: string; readonly type?: string }

/**
 * A registration in the form in which it is stored: every default filled in, what was not sent and has no default left
 * out, no tag or capability twice. The same registration always has the same form.
 */
export interface Registration {
  readonly serviceName: string
  readonly version: string
  readonly endpoint: string
  readonly healthCheck: string
  readonly description?: string
  readonly metadata: JsonObject
  readonly tags: readonly string[]
  readonly capabilities: readonly string[]
  readonly dependencies: readonly Dependency[]
  readonly instanceId?: string
  readonly ttlSeconds?: number
  readonly migrationFile?: JsonObject
}

type SentFields = z.input<typeof registrationSchema>

export interface ParsedRegistration {
  readonly registration: Registration
  readonly warnings: readonly Warning[]
}

const none: readonly never[] = []

/** Every field that a registration may have, in the order in which they are explained. */
export const REGISTRATION_FIELDS: readonly string[] = Object.keys(registrationSchema.shape)

const registrationFields: ReadonlySet<string> = new Set(REGISTRATION_FIELDS)
const dependencyFields: ReadonlySet<string> = new Set(['serviceName', 'version', 'type'])

/**
 * Reads a registration. What it does not know is ignored, with a warning.
 *
 * @param remarks what may be said about it; shared by the registrations of a batch
 * @throws CoordinatorError with every problem in `errors`; its code is that of the first one
 */
export function parseRegistration(input: unknown, remarks?: Remarks): ParsedRegistration {
  const plain = asPlainRegistration(input)
  if (plain !== undefined) return { registration: normalized(plain), warnings: none }
  return parseBySchema(input, remarks)
}

/** The same for any input, without the short cut. */
export function parseBySchema(input: unknown, remarks: Remarks = new Remarks()): ParsedRegistration {
  const result = tryBody(registrationSchema, input, remarks.problems)
  if ('problems' in result) {
    const problems = remarks.suggests ? explained(result.problems, input) : result.problems
    remarks.spend({ problems: problems.length })
    throw invalidBody(problems)
  }
  return { registration: normalized(result.data), warnings: warningsOf(input as JsonObject, remarks) }
}

/**
 * Reads the second stage of a registration.
 *
 * @throws CoordinatorError, as `parseRegistration`
 */
export function parseMigration(input: unknown): {
  migrationFile: JsonObject
  warnings: readonly Warning[]
} {
  const { migrationFile } = readBody(migrationSchema, input)
  return {
    migrationFile: migrationFile as JsonObject,
    warnings: unknownFields(input as JsonObject, Object.keys(migrationSchema.shape)),
  }
}

/** A warning for each member that is not among the fields. */
export function unknownFields(input: JsonObject, fields: readonly string[]): readonly Warning[] {
  return unknownKeys(input, new Set(fields)).map((key) => unknownField([key], fields))
}

/**
 * Built in one go, and in the order of canonical JSON as far as may be: this runs for every registration. Nothing in it but a
 * migration file, and what is deep in metadata, is the sender's own, who may go on to change that.
 */
function normalized(sent: SentFields): Registration {
  const { description, instanceId, ttlSeconds, migrationFile } = sent
  return {
    capabilities: withoutRepeats(sent.capabilities),
    dependencies: sent.dependencies === undefined ? none : sent.dependencies.map(normalizedDependency),
    ...(description === undefined ? {} : { description }),
    endpoint: sent.endpoint,
    healthCheck: sent.healthCheck ?? DEFAULT_HEALTH_CHECK,
    ...(instanceId === undefined ? {} : { instanceId }),
    metadata: { ...sent.metadata } as JsonObject,
    ...(migrationFile === undefined ? {} : { migrationFile: migrationFile as JsonObject }),
    serviceName: sent.serviceName,
    tags: withoutRepeats(sent.tags),
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    version: sent.version,
  }
}

function normalizedDependency(dependency: NonNullable<SentFields['dependencies']>[number]): Dependency {
  if (typeof dependency === 'string') return dependency
  const { serviceName, version, type } = dependency
  if (version === undefined && type === undefined) return serviceName
  return {
    serviceName,
    ...(type === undefined ? {} : { type }),
    ...(version === undefined ? {} : { version }),
  }
}

/** Lists are short, and have no repeats: a set of them would cost more than looking. */
function isWithoutRepeats(list: readonly string[]): boolean {
  for (let at = 1; at < list.length; at += 1)
    if (list.lastIndexOf(list[at] as string, at - 1) !== -1) return false
  return true
}

function withoutRepeats(list: readonly string[] = none): readonly string[] {
  return isWithoutRepeats(list) ? list.slice() : [...new Set(list)]
}

function warningsOf(input: JsonObject, remarks: Remarks): readonly Warning[] {
  const max = remarks.warnings
  const suggest = remarks.suggests
  const warnings = unknownKeys(input, registrationFields, max).map((key) =>
    unknownField([key], suggest ? REGISTRATION_FIELDS : none),
  )
  const dependencies = (input['dependencies'] ?? []) as readonly (string | JsonObject)[]
  for (const [index, dependency] of dependencies.entries()) {
    if (typeof dependency === 'string') continue
    if (warnings.length >= max) break
    for (const key of unknownKeys(dependency, dependencyFields, max - warnings.length))
      warnings.push(unknownField(['dependencies', index, key], suggest ? [...dependencyFields] : none))
  }
  remarks.spend({ warnings: warnings.length })
  return warnings
}

/** Not more than an answer lists: a search for typing errors among 100,000 keys would keep everybody waiting. */
function unknownKeys(
  input: JsonObject,
  known: ReadonlySet<string>,
  max: number = LIMITS.warnings,
): readonly string[] {
  const unknown: string[] = []
  for (const key of Object.keys(input)) {
    if (known.has(key)) continue
    unknown.push(key)
    if (unknown.length === max) break
  }
  return unknown
}

function unknownField(path: readonly (string | number)[], known: readonly string[]): Warning {
  const key = String(path.at(-1))
  const meant = closestWord(key, known)
  const shown = key.length <= 64 ? key : `${key.slice(0, 64).toWellFormed()}...`
  return {
    code: 'unknown_field',
    path: jsonPointer(path),
    message: `${shown} is not a known field and was ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  }
}

/** A required field that is missing was often sent under another name. */
function explained(problems: readonly Problem[], input: unknown): readonly Problem[] {
  const unknown = isJsonObject(input) ? unknownKeys(input, registrationFields) : []
  return problems.map((problem) => {
    if (problem.code !== 'COORD_FIELD_MISSING') return problem
    const field = problem.path.slice(1)
    const sent = unknown.find((key) => closestWord(key, REGISTRATION_FIELDS) === field)
    return sent === undefined
      ? problem
      : { ...problem, message: `${problem.message}; did you mean it by ${sent}?` }
  })
}
