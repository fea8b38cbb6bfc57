import { z } from 'zod'
import { CoordinatorError } from '../../errors.ts'
import type { View } from '../../live/view/view.ts'
import { bodyLengths } from '../../records/body/body-lengths.ts'
import { readBody } from '../../records/body/read-body.ts'
import type { IssueParameters } from '../../records/body/schema-problems.ts'
import { type CanonicalJson, canonicalJson, type JsonObject } from '../../records/canonical-json.ts'
import { serviceNodeId } from '../../records/graph/graph-id.ts'
import { fits, LIMITS } from '../../records/limits.ts'
import type { StoredRecord } from '../../records/record.ts'
import { serviceIdOf } from '../../records/service/identity.ts'
import { parseRegistration } from '../../records/service/parse-registration.ts'
import { type Registration, SERVICE_KIND } from '../../records/service/service.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { graphProjection } from '../model/graph-projection.ts'
import { MAX_SIMULATED_CHANGES, type SimulatedChange } from './simulate.ts'

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

/**
 * What `POST /knowledge-graph/simulate` takes: any of these, together. A misspelt one that was ignored would be answered
 * with `safe: true`.
 */
export const simulationSchema = z
  .strictObject({
    remove: items(text(LIMITS.nameLength)).meta({
      description: 'Names of services, with all their instances, or ids of single services.',
    }),
    register: items(z.looseObject({}).register(bodyLengths, { maxBytes: LIMITS.bodyBytes })).meta({
      description: 'Registrations, as `POST /register` takes them.',
    }),
    changeVersion: items(
      z.strictObject({
        serviceName: text(LIMITS.nameLength),
        version: text(LIMITS.versionLength),
        from: text(LIMITS.versionLength)
          .optional()
          .meta({ description: 'Only instances with this version. Without it: all.' }),
      }),
    ),
  })
  .meta({ id: 'Simulation' })

/** What is to be simulated, as it was sent. */
export interface Simulation {
  readonly remove: readonly string[]
  readonly register: readonly Registration[]
  readonly changeVersion: readonly {
    readonly serviceName: string
    readonly version: string
    readonly from?: string | undefined
  }[]
}

/** Reads what is to be simulated. @throws COORD_BODY_*, COORD_FIELD_* */
export function* readSimulation(input: unknown): Steps<Simulation> {
  const simulation = readBody(simulationSchema, input)
  const register: Registration[] = []
  for (const registration of simulation.register) {
    register.push(parseRegistration(registration).registration)
    yield
  }
  return { ...simulation, register }
}

/** The largest total size of the records that one simulation changes, before and after, in UTF-16 code units. */
const MAX_SIMULATED_SIZE = 32 * 1024 * 1024

/**
 * The parsed records, and what they would become. A record object never changes, so that this stays right as long as the record exists.
 * Reading thousands of large records in one turn would keep all other requests waiting.
 */
export class ReadRecords {
  readonly #versions = new WeakMap<StoredRecord, unknown>()
  readonly #changed = new WeakMap<StoredRecord, Map<string, CanonicalJson>>()

  versionOf(record: StoredRecord): unknown {
    if (!this.#versions.has(record))
      this.#versions.set(record, (JSON.parse(record.data) as JsonObject)['version'])
    return this.#versions.get(record)
  }

  /** The text of a record with another version. */
  withVersion(record: StoredRecord, version: string): CanonicalJson {
    const known = this.#changed.get(record) ?? new Map<string, CanonicalJson>()
    const text = known.get(version) ?? canonicalJson({ ...(JSON.parse(record.data) as JsonObject), version })
    known.set(version, text)
    this.#changed.set(record, known)
    return text
  }
}

/**
 * The changes to the records of a view. To get all of them at one moment without blocking, run the steps twice: first in turns,
 * which parses the records, and then without a pause.
 *
 * @throws COORD_SERVICE_NOT_FOUND for a service or a version that is not registered; COORD_FIELD_TOO_LARGE for too many, or too large ones
 */
export function* simulatedChanges(
  view: View,
  { remove, register, changeVersion }: Simulation,
  read: ReadRecords,
): Steps<readonly SimulatedChange[]> {
  const changes = new Changes(view)
  for (const name of remove) {
    for (const record of changes.find(name)) changes.set(record.id, undefined)
    yield
  }
  for (const { serviceName, version, from } of changeVersion) {
    let found = 0
    for (const record of changes.find(serviceName)) {
      const isMeant = from === undefined || read.versionOf(record) === from
      if (isMeant) changes.set(record.id, read.withVersion(record, version))
      if (isMeant) found += 1
      yield
    }
    // A change of nothing would be safe.
    if (found === 0) throw notRegistered(`${shown(serviceName)} with version ${shown(from ?? '')}`)
  }
  for (const registration of register) {
    changes.register(registration)
    yield
  }
  return changes.all
}

/** What each record would become, whichever part of the question says it. */
class Changes {
  readonly #view: View
  /** Texts of records; `undefined` for a record that would be removed. */
  readonly #after = new Map<string, CanonicalJson | undefined>()
  #size = 0

  constructor(view: View) {
    this.#view = view
  }

  /** @throws COORD_SERVICE_NOT_FOUND */
  find(nameOrId: string): readonly StoredRecord[] {
    const graph = this.#view.projection(graphProjection)
    const node = graph.find(serviceNodeId(nameOrId))
    const named = node === -1 ? [] : graph.servicesOf(node)
    const single = this.#view.get(SERVICE_KIND, nameOrId)
    const found = named.length > 0 ? named : single === undefined ? [] : [single]
    if (found.length > 0) return found
    throw notRegistered(shown(nameOrId))
  }

  set(id: string, text: CanonicalJson | undefined): void {
    this.#after.set(id, text)
    this.#size += (text?.length ?? 0) + (this.#view.get(SERVICE_KIND, id)?.data.length ?? 0)
    if (this.#after.size > MAX_SIMULATED_CHANGES || this.#size > MAX_SIMULATED_SIZE)
      throw new CoordinatorError('COORD_FIELD_TOO_LARGE', {
        detail:
          this.#size > MAX_SIMULATED_SIZE
            ? 'The services that would change are too large together; ask about fewer at once.'
            : `More than ${MAX_SIMULATED_CHANGES} services would change; ask about fewer at once.`,
      })
  }

  register(registration: Registration): void {
    const id = serviceIdOf(registration)
    const stored = this.#view.get(SERVICE_KIND, id)
    // As a registration does: it keeps the stored migration file unless it brings its own.
    const { migrationFile } = stored === undefined ? {} : (JSON.parse(stored.data) as JsonObject)
    const after = {
      ...(migrationFile === undefined ? {} : { migrationFile }),
      ...(registration as unknown as JsonObject),
    }
    this.set(id, canonicalJson(after))
  }

  get all(): readonly SimulatedChange[] {
    const { records } = this.#view
    let next = records.slotCount
    return [...this.#after].map(([id, text]) => {
      const known = records.find(SERVICE_KIND, id)
      const slot = known === -1 ? next++ : known
      const before = records.get(SERVICE_KIND, id)
      const time = { createdAt: before?.createdAt ?? this.#view.at, updatedAt: this.#view.at }
      const revision = this.#view.revision + 1
      const after = text === undefined ? undefined : { kind: SERVICE_KIND, id, data: text, revision, ...time }
      return { slot, before, after }
    })
  }
}

function notRegistered(what: string): CoordinatorError {
  return new CoordinatorError('COORD_SERVICE_NOT_FOUND', { detail: `No service is registered as ${what}.` })
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 512).toWellFormed())
}
