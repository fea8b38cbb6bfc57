import type { JsonObject, JsonValue } from '../../../records/canonical-json.ts'
import { LIMITS } from '../../../records/limits.ts'
import type { ReadingBuilder } from './format-reading.ts'

/** A service that another one needs. */
export interface Need {
  readonly serviceName: string
  /** Where it is, if that is not the namespace of the one that needs it. */
  readonly namespace?: string | undefined
  /** How it is called, if the file shows that. */
  readonly type?: string | undefined
}

/** What one service needs, each service once. */
export class Needs {
  readonly #needs = new Map<string, Need>()

  /** A later mention adds the type that an earlier one lacks. */
  add(need: Need): void {
    const key = `${need.namespace ?? ''}/${need.serviceName}`
    const known = this.#needs.get(key)
    if (known === undefined || known.type === undefined) this.#needs.set(key, need)
  }

  /** The `dependencies` of a registration. A service does not need itself. */
  list(serviceName: string, where: string, reading: ReadingBuilder): readonly JsonValue[] {
    const all = [...this.#needs.values()].filter(
      (need) => need.serviceName !== serviceName || need.namespace !== undefined,
    )
    if (all.length > LIMITS.dependencies)
      reading.cannotKnow(
        where,
        `it needs ${all.length} services: only the first ${LIMITS.dependencies} were taken`,
      )
    return all.slice(0, LIMITS.dependencies).map(({ serviceName, namespace, type }) =>
      namespace === undefined && type === undefined
        ? serviceName
        : ({
            serviceName,
            ...(namespace !== undefined && { namespace }),
            ...(type !== undefined && { type }),
          } satisfies JsonObject),
    )
  }
}
