import { z } from 'zod'
import { CoordinatorError } from '../errors.ts'
import type { Steps } from '../live/pace.ts'
import type { View } from '../live/view.ts'
import { bodyLengths } from '../records/body-lengths.ts'
import { canonicalJson, type JsonObject } from '../records/canonical-json.ts'
import { serviceNodeId } from '../records/graph-id.ts'
import { serviceIdOf } from '../records/identity.ts'
import { fits, LIMITS } from '../records/limits.ts'
import { readBody } from '../records/read-body.ts'
import type { StoredRecord } from '../records/record.ts'
import type { IssueParameters } from '../records/schema-problems.ts'
import { parseRegistration, type Registration, SERVICE_KIND } from '../records/service.ts'
import { graphProjection } from './graph-projection.ts'
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

/**
 * The changes of the records that a view has.
 *
 * @throws COORD_SERVICE_NOT_FOUND for a service or a version that is not registered; COORD_FIELD_TOO_LARGE for too many
 */
export function simulatedChanges(
  view: View,
  { remove, register, changeVersion }: Simulation,
): readonly SimulatedChange[] {
  const changes = new Changes(view)
  for (const name of remove) for (const record of changes.find(name)) changes.set(record.id, undefined)
  for (const { serviceName, version, from } of changeVersion)
    for (const [id, data] of changes.findVersion(serviceName, from)) changes.set(id, { ...data, version })
  for (const registration of register) changes.register(registration)
  return changes.all
}

/** What each record would become, whichever part of the question says it. */
class Changes {
  readonly #view: View
  readonly #after = new Map<string, JsonObject | undefined>()

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

  /**
   * Ids and contents of the services that have a version.
   *
   * @param version any, where it is absent
   * @throws COORD_SERVICE_NOT_FOUND also where the service is there in other versions only: a change of nothing would be safe
   */
  findVersion(serviceName: string, version: string | undefined): readonly (readonly [string, JsonObject])[] {
    const found = this.find(serviceName)
      .map(({ id, data }) => [id, JSON.parse(data) as JsonObject] as const)
      .filter(([, data]) => version === undefined || data['version'] === version)
    if (found.length > 0) return found
    throw notRegistered(`${shown(serviceName)} with version ${shown(version ?? '')}`)
  }

  set(id: string, data: JsonObject | undefined): void {
    this.#after.set(id, data)
    if (this.#after.size > MAX_SIMULATED_CHANGES)
      throw new CoordinatorError('COORD_FIELD_TOO_LARGE', {
        detail: `More than ${MAX_SIMULATED_CHANGES} services would change; ask about fewer at once.`,
      })
  }

  register(registration: Registration): void {
    const id = serviceIdOf(registration)
    const stored = this.#view.get(SERVICE_KIND, id)
    // As a registration does: it keeps the stored migration file unless it brings its own.
    const { migrationFile } = stored === undefined ? {} : (JSON.parse(stored.data) as JsonObject)
    this.set(id, {
      ...(migrationFile === undefined ? {} : { migrationFile }),
      ...(registration as unknown as JsonObject),
    })
  }

  get all(): readonly SimulatedChange[] {
    const { records } = this.#view
    let next = records.slotCount
    return [...this.#after].map(([id, data]) => {
      const known = records.find(SERVICE_KIND, id)
      const slot = known === -1 ? next++ : known
      const before = records.get(SERVICE_KIND, id)
      const time = { createdAt: before?.createdAt ?? this.#view.at, updatedAt: this.#view.at }
      const revision = this.#view.revision + 1
      const after =
        data === undefined
          ? undefined
          : { kind: SERVICE_KIND, id, data: canonicalJson(data), revision, ...time }
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
