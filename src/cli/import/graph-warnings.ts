import { CoordinatorError } from '../../errors.ts'
import type { CyclesAnswer } from '../../graph/questions/cycles.ts'
import { cycleMessage } from '../../graph/warnings/register-warnings.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { parseEdgeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { quoted } from '../../text/quoted.ts'
import type { CoordinatorClient } from '../context/coordinator-client.ts'
import type { Item } from './item.ts'
import type { ItemWarning } from './send-batches.ts'

/** A warning with the item that it is about. */
export interface PlacedWarning extends ItemWarning {
  readonly place: string
  readonly name?: string | undefined
}

/** Warnings of one kind: all are counted, and the first are kept. */
export interface CountedWarnings {
  readonly code: string
  readonly first: PlacedWarning[]
  count: number
}

/** How many warnings that wait are kept. The others are only counted, for each node. */
const keptMax = 10_000

const CYCLE = 'dependency_cycle'

/** The most nodes that one question lists. */
const unresolvedMax = 10_000
const cyclesMax = 1_000

/**
 * Warnings about the place of an item in the graph. They wait until the whole input is in: a service that comes later may be the one that an
 * earlier one needs.
 */
export class GraphWarnings {
  /** By the id of the node that is missing; '' where that cannot be said. */
  readonly #missing = new Map<string, CountedWarnings>()
  /** By the node of the service. */
  readonly #cycles = new Map<string, CountedWarnings>()
  #kept = 0

  /** Something is there now, so that nothing that needs it is wrong. */
  noteImported(item: Item): void {
    if (this.#missing.size === 0) return
    const id = item.about === undefined ? serviceNodeOf(item) : item.about.id
    if (id !== undefined) this.#missing.delete(id)
  }

  /** @returns whether the warning waits; others can be reported at once */
  add(item: Item, warning: PlacedWarning): boolean {
    const { code } = warning
    if (code === 'unknown_dependency') this.#keep(this.#missing, missingDependency(item, warning), warning)
    else if (code === 'unresolved_node') this.#keep(this.#missing, missingEnd(item, warning), warning)
    else if (code === 'dependency_cycle' || code === 'cycle_check_incomplete')
      this.#keep(this.#cycles, serviceNodeOf(item) ?? '', warning)
    else return false
    return true
  }

  /** The warnings that are still true, after the end of the input, as the coordinator sees it. */
  async settle(client: CoordinatorClient): Promise<readonly CountedWarnings[]> {
    return [...(await this.#stillMissing(client)), ...(await this.#stillCyclic(client))]
  }

  async #stillMissing(client: CoordinatorClient): Promise<readonly CountedWarnings[]> {
    if (this.#missing.size === 0) return []
    const body = await answerOf(client, `/knowledge-graph/unresolved?limit=${unresolvedMax}`)
    if (body?.['complete'] !== true) return [...this.#missing.values()]
    const nodes = new Set((body['nodes'] as readonly { readonly id: string }[]).map(({ id }) => id))
    return [...this.#missing].filter(([id]) => id === '' || nodes.has(id)).map(([, warnings]) => warnings)
  }

  /** One warning for each cycle, although each of its services got one. */
  async #stillCyclic(client: CoordinatorClient): Promise<readonly CountedWarnings[]> {
    if (this.#cycles.size === 0) return []
    const body = await answerOf(client, `/knowledge-graph/cycles?limit=${cyclesMax}`)
    if (body === undefined) return [...this.#cycles.values()]
    const { cycles, total } = body as unknown as CyclesAnswer
    const left = new Map(this.#cycles)
    const found = cycles.flatMap(({ nodes, example }): CountedWarnings[] => {
      const [one] = nodes.flatMap((node) => left.get(node)?.first[0] ?? [])
      for (const node of nodes) left.delete(node)
      // The first warning may be older than the cycle, or say only that the coordinator did not look for one.
      return one === undefined
        ? []
        : [{ code: CYCLE, first: [{ ...one, code: CYCLE, message: cycleMessage(example) }], count: 1 }]
    })
    // Of a large cycle only some nodes are listed.
    const isCut =
      total > cycles.length || (found.length === 0 && cycles.some(({ nodes, size }) => size > nodes.length))
    return isCut ? [...found, ...left.values()] : found
  }

  #keep(waiting: Map<string, CountedWarnings>, id: string, warning: PlacedWarning): void {
    const warnings = waiting.get(id) ?? { code: warning.code, first: [], count: 0 }
    warnings.count += 1
    if (this.#kept < keptMax) {
      warnings.first.push(warning)
      this.#kept += 1
    }
    waiting.set(id, warnings)
  }
}

/** The answer to a question; `undefined` if the coordinator cannot answer it. */
async function answerOf(
  client: CoordinatorClient,
  path: string,
): Promise<Record<string, unknown> | undefined> {
  try {
    const { body } = await client.get(path)
    return isJsonObject(body) ? { ...body } : undefined
  } catch (thrown) {
    // A graph may be too large for the question. The warnings then stay as they came.
    if (thrown instanceof CoordinatorError) return undefined
    throw thrown
  }
}

/** The node of the service that an item registers. */
function serviceNodeOf({ value, about }: Item): string | undefined {
  if (about !== undefined || !isJsonObject(value)) return undefined
  const { serviceName, namespace } = value
  return typeof serviceName === 'string'
    ? serviceNodeId(serviceName, textOr(namespace, DEFAULT_NAMESPACE))
    : undefined
}

/** The node of the dependency to which the path of a warning leads. */
function missingDependency({ value }: Item, { path = '' }: ItemWarning): string {
  const [, index] = /^\/dependencies\/(\d+)$/.exec(path) ?? []
  const list = isJsonObject(value) ? value['dependencies'] : undefined
  const dependency = Array.isArray(list) && index !== undefined ? list[Number(index)] : undefined
  const own = textOr(isJsonObject(value) ? value['namespace'] : undefined, DEFAULT_NAMESPACE)
  if (typeof dependency === 'string') return serviceNodeId(dependency, own)
  if (!isJsonObject(dependency)) return ''
  const { serviceName, namespace } = dependency
  return typeof serviceName === 'string' ? serviceNodeId(serviceName, textOr(namespace, own)) : ''
}

/** The end of an edge that a warning names. */
function missingEnd({ about }: Item, { message }: ItemWarning): string {
  const edge = about?.kind === 'edge' ? parseEdgeId(about.id) : undefined
  return [edge?.source, edge?.target].find((id) => id !== undefined && message.includes(quoted(id))) ?? ''
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}
