import type { CoordinatorError, ErrorCode, Problem } from '../../errors.ts'
import { closestWord } from '../../text/closest-word.ts'
import { invalidBody, jsonPointer } from '../body/check-json.ts'
import { readBody, tryBody } from '../body/read-body.ts'
import { isJsonObject, type JsonObject } from '../canonical-json.ts'
import { LIMITS } from '../limits.ts'
import { Remarks } from '../remarks.ts'
import type { Warning } from '../warning.ts'
import { oddTexts } from './odd-texts.ts'
import { dependencyFields } from './registration-fields.ts'
import {
  migrationSchema,
  type Registration,
  registration,
  registrationSchema,
  storedRegistration,
} from './service.ts'

export interface ParsedRegistration {
  readonly registration: Registration
  readonly warnings: readonly Warning[]
}

const none: readonly never[] = []

/**
 * Reads a registration. Unknown fields are ignored, with a warning; odd texts get one, too.
 *
 * @param remarks limits problems and warnings; the registrations of a batch share it
 * @throws CoordinatorError with every problem in `errors`; its code is that of the first one
 */
export function parseRegistration(input: unknown, remarks?: Remarks): ParsedRegistration {
  if (!registration.isPlain(input)) return parseBySchema(input, remarks)
  const plain = storedRegistration(input)
  const warnings = oddTexts(plain, remarks?.warnings)
  remarks?.spend({ warnings: warnings.length })
  return { registration: plain, warnings }
}

/** Parses any input by the schema alone, without the fast check. */
export function parseBySchema(input: unknown, remarks: Remarks = new Remarks()): ParsedRegistration {
  const result = tryBody(registrationSchema, input, remarks.problems)
  if ('problems' in result) {
    const problems = remarks.suggests ? explained(result.problems, input) : result.problems
    remarks.spend({ problems: problems.length })
    throw withGuide(invalidBody(problems))
  }
  const read = storedRegistration(result.data)
  const warnings = [...warningsOf(input as JsonObject, remarks), ...oddTexts(read, remarks.warnings)]
  remarks.spend({ warnings: warnings.length })
  return { registration: read, warnings: warnings.slice(0, LIMITS.warnings) }
}

const guides: Readonly<Partial<Record<ErrorCode, string>>> = {
  COORD_FIELD_MISSING: 'Add the field named in `errors`; `GET /register` shows an example.',
  COORD_FIELD_INVALID: 'Change the field named in `errors`; `GET /register` lists the rules.',
}

/** The guide is about registrations only, so the hint of the code cannot name it for other bodies. */
function withGuide(error: CoordinatorError): CoordinatorError {
  const hint = guides[error.code]
  return hint === undefined ? error : error.with({ hint })
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

/** A warning for each unknown member. */
export function unknownFields(input: JsonObject, fields: readonly string[]): readonly Warning[] {
  return unknownKeys(input, fields).map((key) => unknownField([key], fields))
}

function warningsOf(input: JsonObject, remarks: Remarks): readonly Warning[] {
  const { warnings: max, suggests } = remarks
  const { names } = registration
  const warnings = unknownKeys(input, names, max).map((key) => unknownField([key], suggests ? names : none))
  const dependencies = (input['dependencies'] ?? []) as readonly (string | JsonObject)[]
  for (const [index, dependency] of dependencies.entries()) {
    if (typeof dependency === 'string') continue
    if (warnings.length >= max) break
    for (const key of unknownKeys(dependency, dependencyFields.names, max - warnings.length))
      warnings.push(unknownField(['dependencies', index, key], suggests ? dependencyFields.names : none))
  }
  return warnings
}

/** At most as many as an answer lists: searching 100,000 keys for typing errors would block all other requests. */
function unknownKeys(
  input: JsonObject,
  known: readonly string[],
  max: number = LIMITS.warnings,
): readonly string[] {
  const unknown: string[] = []
  for (const key of Object.keys(input)) {
    if (known.includes(key)) continue
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

/** A missing required field was often sent under another name. */
function explained(problems: readonly Problem[], input: unknown): readonly Problem[] {
  const unknown = isJsonObject(input) ? unknownKeys(input, registration.names) : []
  return problems.map((problem) => {
    if (problem.code !== 'COORD_FIELD_MISSING') return problem
    const field = problem.path.slice(1)
    const sent = unknown.find((key) => closestWord(key, registration.names) === field)
    return sent === undefined
      ? problem
      : { ...problem, message: `${problem.message}; did you send it as "${sent}"?` }
  })
}
