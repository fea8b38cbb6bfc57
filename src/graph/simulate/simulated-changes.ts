import { CoordinatorError } from '../../errors.ts'
import type { View } from '../../live/view/view.ts'
import { type CanonicalJson, canonicalJson, type JsonObject } from '../../records/canonical-json.ts'
import { normalNodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { serviceIdOf } from '../../records/service/identity.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { type Registration, SERVICE_KIND } from '../../records/service/service.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { quoted } from '../../text/quoted.ts'
import { graphProjection } from '../derive/graph-projection.ts'
import { dataOf } from '../model/lenient-json.ts'
import { inNamespace, whatWasMeant } from '../model/resolve-node.ts'
import type { SimulatedChange } from './simulated-records.ts'
import { MAX_SIMULATED_CHANGES, type NamedService, type Simulation } from './simulation.ts'

/** The largest total size of the records that one simulation changes, before and after, in UTF-16 code units. */
const MAX_SIMULATED_SIZE = 32 * 1024 * 1024

/**
 * The parsed records, before and after the change. A record object never changes, so this stays right as long as the record exists. Reading
 * thousands of large records in one turn would block all other requests.
 */
export class ReadRecords {
  readonly #versions = new WeakMap<StoredRecord, unknown>()
  readonly #changed = new WeakMap<StoredRecord, Map<string, CanonicalJson>>()

  versionOf(record: StoredRecord): unknown {
    if (!this.#versions.has(record)) this.#versions.set(record, dataOf(record)['version'])
    return this.#versions.get(record)
  }

  /** The text of a record with another version. */
  withVersion(record: StoredRecord, version: string): CanonicalJson {
    const known = this.#changed.get(record) ?? new Map<string, CanonicalJson>()
    const text = known.get(version) ?? canonicalJson({ ...dataOf(record), version })
    known.set(version, text)
    this.#changed.set(record, known)
    return text
  }
}

/**
 * The changes to the records of a view. To get all of them at one moment without blocking, run the steps twice: first in turns, which
 * parses the records, and then without a pause.
 *
 * @throws COORD_SERVICE_NOT_FOUND for a service or a version that is not registered; COORD_FIELD_TOO_LARGE for too many or too large
 * changes
 */
export function* simulatedChanges(
  view: View,
  { remove, register, changeVersion }: Simulation,
  read: ReadRecords,
): Steps<readonly SimulatedChange[]> {
  const changes = new Changes(view)
  for (const one of remove) {
    const records = typeof one === 'string' ? changes.findAny(one) : changes.find(one)
    for (const record of records) changes.set(record.id, undefined)
    yield
  }
  for (const { version, from, ...service } of changeVersion) {
    let found = 0
    for (const record of changes.find(service)) {
      if (from === undefined || read.versionOf(record) === from) {
        changes.set(record.id, read.withVersion(record, version))
        found += 1
      }
      yield
    }
    // A change of nothing would always be safe.
    if (found === 0)
      throw notRegistered(`${shown(service)} with version ${quoted(from ?? '')}`, { more: '', extra: {} })
  }
  for (const registration of register) {
    changes.register(registration)
    yield
  }
  return changes.all
}

/** Collects the new content of each changed record from all parts of the question. */
class Changes {
  readonly #view: View
  /** Texts of records; `undefined` for a record that would be removed. */
  readonly #after = new Map<string, CanonicalJson | undefined>()
  #size = 0

  constructor(view: View) {
    this.#view = view
  }

  /** @throws COORD_SERVICE_NOT_FOUND */
  find(service: NamedService): readonly StoredRecord[] {
    const named = this.#named(service)
    if (named.length === 0) throw this.#unknown(service)
    return named
  }

  /**
   * Finds services in `default` by their name, or any service by its id or by that of its node, such as `service:cart`.
   *
   * @throws COORD_SERVICE_NOT_FOUND
   */
  findAny(nameOrId: string): readonly StoredRecord[] {
    const graph = this.#view.projection(graphProjection)
    const named = this.#named({ serviceName: nameOrId })
    if (named.length > 0) return named
    const ofNode = graph.servicesOf(graph.find(normalNodeId(nameOrId) ?? nameOrId))
    if (ofNode.length > 0) return ofNode
    const single = this.#view.get(SERVICE_KIND, nameOrId)
    if (single !== undefined) return [single]
    throw this.#unknown({ serviceName: nameOrId })
  }

  #unknown(service: NamedService): CoordinatorError {
    const graph = this.#view.projection(graphProjection)
    return notRegistered(shown(service), whatWasMeant(graph, service.serviceName, service.namespace))
  }

  #named({ serviceName, namespace }: NamedService): readonly StoredRecord[] {
    const graph = this.#view.projection(graphProjection)
    return graph.servicesOf(graph.find(serviceNodeId(serviceName, namespace)))
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
    // Like a registration, it keeps the stored migration file unless it has its own.
    const { migrationFile } = stored === undefined ? {} : dataOf(stored)
    const after = {
      ...(migrationFile === undefined ? {} : { migrationFile }),
      ...(registration as unknown as JsonObject),
    }
    this.set(id, canonicalJson(after))
  }

  get all(): readonly SimulatedChange[] {
    const { at, revision } = this.#view
    return [...this.#after].map(([id, data]) => {
      const before = this.#view.get(SERVICE_KIND, id)
      if (data === undefined) return { before }
      const time = { createdAt: before?.createdAt ?? at, updatedAt: at }
      return { before, after: { kind: SERVICE_KIND, id, data, revision: revision + 1, ...time } }
    })
  }
}

function shown({ serviceName, namespace = DEFAULT_NAMESPACE }: NamedService): string {
  return `${quoted(serviceName)}${inNamespace(namespace)}`
}

/** @param meant what follows the sentence, and belongs to the error */
function notRegistered(what: string, { more, extra }: ReturnType<typeof whatWasMeant>): CoordinatorError {
  return new CoordinatorError('COORD_SERVICE_NOT_FOUND', {
    detail: `No service is registered as ${what}.${more}`,
    extra,
  })
}
