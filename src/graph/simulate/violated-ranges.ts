import { serviceNodeId } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { namespaceIn } from '../../records/service/namespace.ts'
import { judgeRange, type Verdict } from '../../records/version-range.ts'
import { type VersionSet, versionSet } from '../../records/version-set.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { eachDependency } from '../derive/derive-dependencies.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { dataOf, textOf } from '../model/lenient-json.ts'

/** A range that no version would fulfill, or that could not be judged. */
export interface ViolatedRange {
  /** The node of the service that declares the range. */
  readonly consumer: string
  readonly dependency: string
  readonly range: string
  /** The versions that would exist, at most the first hundred in the order of their text. */
  readonly versions: readonly string[]
  /** How many versions would exist. */
  readonly versionsTotal: number
}

/** Without this limit, a thousand violated ranges with thousands of versions each would make a huge answer. */
const MAX_VERSIONS_LISTED = 100

/** The services of each name: ids of their nodes, and their records. */
type ServicesByName = ReadonlyMap<string, readonly StoredRecord[]>

/** A record that may declare ranges, and whether it exists before, after, or both. */
export interface Declaring {
  readonly consumer: string
  readonly record: StoredRecord
  readonly before: boolean
  readonly after: boolean
}

/** The data for judging ranges. Records never change, so judging may continue while the graph changes. */
interface RangeEvidence {
  readonly before: ServicesByName
  readonly after: ServicesByName
  readonly declaring: readonly Declaring[]
}

/** The services of all given nodes that exist. */
export function servicesByName(graph: GraphReader, ids: Iterable<string>): ServicesByName {
  const services = new Map<string, readonly StoredRecord[]>()
  for (const id of ids) {
    const node = graph.find(id)
    if (node !== -1) services.set(id, graph.servicesOf(node))
  }
  return services
}

/** Nodes that depend on any of the given ones. */
export function dependentsOf(graph: GraphReader, nodes: readonly number[]): Iterable<number> {
  const type = graph.edgeTypes.indexOf('depends_on')
  const found = new Set<number>()
  for (const node of nodes) {
    const others = graph.in.othersOf(node)
    for (const [at, edge] of graph.in.of(node).entries())
      if ((graph.edges.kind[edge] as number) >> 2 === type) found.add(others[at] as number)
  }
  return found
}

/** Ranges about changed services, each list sorted. */
export interface JudgedRanges {
  /** Those that no version fulfills afterwards, and that were not violated before. */
  readonly violated: readonly ViolatedRange[]
  /** Those that cannot be judged afterwards, such as `^1` where only `latest` runs. */
  readonly unjudged: readonly ViolatedRange[]
}

export function* judgeRanges({ before, after, declaring }: RangeEvidence): Steps<JudgedRanges> {
  const judges = { before: new Judge(before), after: new Judge(after) }
  const known = new Set<string>()
  const found = { violated: new Map<string, ViolatedRange>(), unjudged: new Map<string, ViolatedRange>() }
  for (const declared of declaring) {
    for (const { id, range } of rangesOf(declared.record)) {
      const key = `${declared.consumer} ${id} ${range}`
      if (declared.before && (yield* judges.before.judge(id, range)) === 'violated') known.add(key)
      const verdict = declared.after ? yield* judges.after.judge(id, range) : 'fulfilled'
      if (verdict === 'fulfilled') continue
      const versions = yield* judges.after.versionsOf(id)
      found[verdict].set(key, { consumer: declared.consumer, dependency: id, range, ...versions })
      yield
    }
    yield
  }
  for (const key of known) found.violated.delete(key)
  return { violated: inOrder(found.violated), unjudged: inOrder(found.unjudged) }
}

function inOrder(ranges: ReadonlyMap<string, ViolatedRange>): readonly ViolatedRange[] {
  return [...ranges].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, range]) => range)
}

function rangesOf(record: StoredRecord): readonly { readonly id: string; readonly range: string }[] {
  const data = dataOf(record)
  const ranges: { readonly id: string; readonly range: string }[] = []
  eachDependency(data['dependencies'], namespaceIn(data), (name, namespace, details) => {
    const range = textOf(details?.['version'])
    if (range !== undefined) ranges.push({ id: serviceNodeId(name, namespace), range })
  })
  return ranges
}

/** Judges whether any version fulfills a range. Reads each record once, and judges each range of a service once. */
class Judge {
  readonly #services: ServicesByName
  readonly #versions = new Map<string, VersionSet>()
  readonly #listed = new Map<string, readonly string[]>()
  readonly #verdicts = new Map<string, Verdict>()

  constructor(services: ServicesByName) {
    this.#services = services
  }

  /** If no service is registered, the consumer is broken or depends on an unknown name. Other parts of the answer report that. */
  *judge(id: string, range: string): Steps<Verdict> {
    const key = `${id} ${range}`
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const versions = yield* this.#versionsOf(id)
    const verdict = versions.texts.size === 0 ? 'fulfilled' : judgeRange(range, versions)
    this.#verdicts.set(key, verdict)
    return verdict
  }

  /** The first versions by their text, and how many there are. */
  *versionsOf(id: string): Steps<Pick<ViolatedRange, 'versions' | 'versionsTotal'>> {
    const { texts } = yield* this.#versionsOf(id)
    const known = this.#listed.get(id) ?? [...texts].sort().slice(0, MAX_VERSIONS_LISTED)
    this.#listed.set(id, known)
    return { versions: known, versionsTotal: texts.size }
  }

  *#versionsOf(id: string): Steps<VersionSet> {
    const known = this.#versions.get(id)
    if (known !== undefined) return known
    const texts = new Set<string>()
    for (const record of this.#services.get(id) ?? []) {
      texts.add(textOf(dataOf(record)['version']) ?? '')
      yield
    }
    const versions = yield* versionSet(texts)
    this.#versions.set(id, versions)
    return versions
  }
}
