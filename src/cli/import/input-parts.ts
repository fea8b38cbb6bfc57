import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { isSnapshotHead, isSnapshotRecord } from './stored-records.ts'

/** The answer to `GET /services`, and the output of `coordinator services --json`. */
export interface ServicesAnswer {
  readonly services: readonly unknown[]
  readonly total?: unknown
  readonly nextCursor?: unknown
}

export function isServicesAnswer(value: unknown): value is ServicesAnswer {
  return isJsonObject(value) && Array.isArray(value['services']) && !('serviceName' in value)
}

/** Finds out whether an input is whole: pages and exports say how much there is. */
export class InputParts {
  readonly #name: string
  /** Of all exports in the input. */
  #promised = 0
  /** Whether there is the beginning of an export whose last line will say how many records it has. */
  #lacksEnd = false
  #records = 0
  #total: number | undefined
  #services = 0
  #hasMore = false

  /** @param name of the input, for messages */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * Takes note of the next value of the input.
   *
   * @returns what it contains to be imported
   */
  contentOf(value: unknown): readonly unknown[] {
    if (isServicesAnswer(value)) {
      const { services, total, nextCursor } = value
      this.#services += services.length
      if (typeof total === 'number') this.#total = total
      this.#hasMore = typeof nextCursor === 'string'
      return services
    }
    const promised = promisedBy(value)
    if (promised !== undefined || isSnapshotHead(value)) {
      this.#promised += promised ?? 0
      this.#lacksEnd ||= promised === undefined && isJsonObject(value) && 'namespace' in value
      if (!isSnapshotHead(value)) this.#lacksEnd = false
      return []
    }
    if (isSnapshotRecord(value)) this.#records += 1
    return [value]
  }

  /** Called at the end of the input. @throws COORD_CLI_FILE_PARTIAL */
  check(): void {
    const total = this.#total
    if (total !== undefined && (this.#hasMore || this.#services < total))
      throw new CoordinatorError('COORD_CLI_FILE_PARTIAL', {
        detail: `${this.#name} is only a page: it has ${this.#services} of ${total} services.`,
        hint: 'Write all of them with `coordinator export`, or ask for them with the header `Accept: application/x-ndjson`.',
      })
    if (this.#records < this.#promised)
      throw new CoordinatorError('COORD_CLI_FILE_PARTIAL', {
        detail: `${this.#name} ends too early: it has ${this.#records} of ${this.#promised} records.`,
      })
    if (this.#lacksEnd)
      throw new CoordinatorError('COORD_CLI_FILE_PARTIAL', {
        detail: `${this.#name} ends too early: its last line, with the number of records, is missing.`,
      })
  }
}

/** The number of records, from the first line of a snapshot or the last line of an export. */
function promisedBy(value: unknown): number | undefined {
  if (isSnapshotHead(value)) return value.records
  const isEnd = isJsonObject(value) && Object.keys(value).length === 1 && typeof value['records'] === 'number'
  return isEnd ? (value['records'] as number) : undefined
}
