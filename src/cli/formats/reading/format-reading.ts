import { CoordinatorError } from '../../../errors.ts'
import type { JsonObject } from '../../../records/canonical-json.ts'
import { parseEdgeId, parseNodeId } from '../../../records/graph/graph-id.ts'
import { edgeBodySchema, nodeBodySchema, parseAssertion } from '../../../records/graph/graph-schema.ts'
import { serviceIdOf } from '../../../records/service/identity.ts'
import { parseRegistration } from '../../../records/service/parse-registration.ts'

export type FormatName = 'compose' | 'kubernetes' | 'backstage'

/** A node or an edge to assert: its id, and the body of the request that asserts it. */
export interface Assertion {
  readonly id: string
  readonly body: JsonObject
}

/** A part of a file that was not read, and why. */
export interface Unreadable {
  /** For people: `services.web.env_file`, `line 12: Deployment cart`. */
  readonly where: string
  readonly why: string
  /** Everything around it was read, so that what the file lists is complete. */
  readonly isDetail?: true
}

/** What a file in another format says, in the words of the coordinator. */
export interface FormatReading {
  readonly format: FormatName
  /** Bodies of registrations, with their `namespace` where it is not the default one. */
  readonly services: readonly JsonObject[]
  readonly nodes: readonly Assertion[]
  readonly edges: readonly Assertion[]
  readonly unreadable: readonly Unreadable[]
}

/** The effort of one reading, about as many characters as are looked at. Real files need less than a thousandth of it. */
const MAX_EFFORT = 134_217_728

/** The effort of one registration or assertion. */
const ITEM_EFFORT = 2_048

/** The effort of one member of a map, beside its text. */
export const MEMBER_EFFORT = 32

/** Entries of `unreadable`; a file with more has the same fault everywhere. */
const MAX_UNREADABLE = 1_000

/** Why a second description of the same thing is left out. */
export const FIRST_COUNTS = 'the file has it more than once: the first one counts'

/** Collects a reading. It accepts only what the coordinator will accept; all else is listed as unreadable. */
export class ReadingBuilder {
  readonly #format: FormatName
  readonly #services = new Map<string, JsonObject>()
  readonly #nodes = new Map<string, Assertion>()
  readonly #edges = new Map<string, Assertion>()
  readonly #unreadable: Unreadable[] = []
  #more = 0
  #effort = 0

  constructor(format: FormatName) {
    this.#format = format
  }

  /**
   * Counts the effort of reading. A small file may name a large part of itself many times.
   *
   * @throws COORD_CLI_FILE if the file takes too much
   */
  spend(effort: number): void {
    this.#effort += effort
    if (this.#effort > MAX_EFFORT)
      throw new CoordinatorError('COORD_CLI_FILE', {
        detail:
          'The file takes too long to read: it has too many services, or uses a large part of itself too often.',
        hint: 'Cut it into several files, and import each of them.',
      })
  }

  /**
   * Registers a service. What a file says last about it counts, as for programs that apply the file: both would replace each other at each
   * import.
   *
   * @param where names the part of the file that the registration comes from
   */
  addService(where: string, registration: JsonObject): void {
    this.#check(where, () => {
      const id = serviceIdOf(parseRegistration(registration).registration)
      if (this.#services.delete(id))
        this.cannotKnow(where, 'the file has it more than once: the last one counts')
      this.#services.set(id, registration)
    })
  }

  /** Asserts a node. What a file says first about it counts, as in Backstage. */
  addNode(where: string, id: string, body: JsonObject): void {
    if (parseNodeId(id) === undefined)
      return this.cannotRead(where, `its name makes no id of a node: ${shown(id)}`)
    this.#check(where, () => {
      parseAssertion(nodeBodySchema, body, {})
      if (this.#nodes.has(id)) this.cannotKnow(where, FIRST_COUNTS)
      else this.#nodes.set(id, { id, body })
    })
  }

  addEdge(where: string, id: string, body: JsonObject = {}): void {
    if (parseEdgeId(id) === undefined)
      return this.cannotRead(where, `its names make no id of an edge: ${shown(id)}`)
    this.#check(where, () => {
      parseAssertion(edgeBodySchema, body, {})
      if (!this.#edges.has(id)) this.#edges.set(id, { id, body })
    })
  }

  /** Lists a part of the file that is left out. */
  cannotRead(where: string, why: string): void {
    this.#list({ where: shown(where), why })
  }

  /** Lists something that is not known, about a part of the file that was read. */
  cannotKnow(where: string, why: string): void {
    this.#list({ where: shown(where), why, isDetail: true })
  }

  #list(unreadable: Unreadable): void {
    if (this.#unreadable.length < MAX_UNREADABLE) this.#unreadable.push(unreadable)
    else this.#more += 1
  }

  build(): FormatReading {
    const more = { where: `${this.#more} more places`, why: 'only the first ones are listed' }
    return {
      format: this.#format,
      services: [...this.#services.values()],
      nodes: [...this.#nodes.values()],
      edges: [...this.#edges.values()],
      unreadable: this.#more === 0 ? this.#unreadable : [...this.#unreadable, more],
    }
  }

  #check(where: string, accept: () => void): void {
    this.spend(ITEM_EFFORT)
    try {
      accept()
    } catch (thrown) {
      if (!(thrown instanceof CoordinatorError)) throw thrown
      const [problem] = thrown.errors ?? []
      this.cannotRead(
        where,
        problem === undefined ? thrown.detail : `${problem.path.slice(1)} ${problem.message}`,
      )
    }
  }
}

function shown(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200).toWellFormed()}...`
}
