import type { View } from '../live/view/view.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../records/canonical-json.ts'
import { namespaceIn } from '../records/service/namespace.ts'
import { judgeRange } from '../records/version-range.ts'
import { versionSet } from '../records/version-set.ts'
import type { Warning } from '../records/warning.ts'
import { atOnce } from '../scheduling/pace.ts'
import { visible } from '../text/skeleton.ts'
import type { Term } from './index/postings.ts'
import { type ServiceIndex, serviceIndex } from './index/service-index.ts'

/** How many ranges and services are looked at for one registration, because this runs for every one. Nothing is said about the others. */
const RANGES_MAX = 32
const SERVICES_MAX = 256
/** How many versions a warning names. */
const VERSIONS_SHOWN = 3

const none: readonly never[] = []

/**
 * Warnings about a registration and its neighbors: another name that looks like its own, and ranges of its dependencies that no registered
 * version fulfills, or that cannot be judged.
 *
 * @param data the fields of the registration, as they were sent or as they are stored
 */
export function neighborWarnings(view: View, data: JsonObject): readonly Warning[] {
  const index = view.projection(serviceIndex)
  const alike = lookAlike(index, data)
  const judged = judgedRanges(index, data)
  return alike === undefined ? judged : [alike, ...judged]
}

function lookAlike(index: ServiceIndex, data: JsonObject): Warning | undefined {
  const name = data['serviceName'] as string
  for (const other of index.lookAlikes.of(name)) {
    const term = index.byName.get(other)
    const number = servicesOf(index, term, namespaceIn(data)).next().value
    if (number === undefined) continue
    return {
      code: 'look_alike',
      path: '/serviceName',
      message: `${visible(name)} looks like ${visible(other)}, which is registered too: if they are one service, send one name.`,
      serviceId: index.record(number).id,
    }
  }
  return undefined
}

function judgedRanges(index: ServiceIndex, data: JsonObject): readonly Warning[] {
  const dependencies = (data['dependencies'] ?? none) as readonly JsonValue[]
  const warnings: Warning[] = []
  let [ranges, services] = [0, 0]
  for (let at = 0; at < dependencies.length; at += 1) {
    const dependency = dependencies[at]
    if (!isJsonObject(dependency)) continue
    const { serviceName, version: range, namespace = null } = dependency
    const term = index.byName.get(serviceName as string)
    if (typeof range !== 'string' || term === undefined) continue
    services += term.size
    if (++ranges > RANGES_MAX || services > SERVICES_MAX) break
    const versions = new Set<string>()
    for (const number of servicesOf(index, term, (namespace ?? namespaceIn(data)) as string))
      versions.add(index.versionOf(number).text)
    const verdict = versions.size === 0 ? 'fulfilled' : judgeRange(range, atOnce(versionSet(versions)))
    if (verdict === 'fulfilled') continue
    const finding =
      verdict === 'violated' ? 'No registered version fulfills' : 'No registered version can be compared with'
    const message = `${finding} the range ${visible(range)} of ${visible(term.text)}: ${shown(versions)}.`
    warnings.push({ code: verdict, path: `/dependencies/${at}/version`, message })
  }
  return warnings.length === 0 ? none : warnings
}

function shown(versions: ReadonlySet<string>): string {
  const first = [...versions].sort().slice(0, VERSIONS_SHOWN)
  const more = versions.size - first.length
  return `${first.map((version) => visible(version)).join(', ')}${more === 0 ? '' : ` and ${more} more`}`
}

/** The numbers of the services of a name in a namespace. */
function* servicesOf(index: ServiceIndex, term: Term | undefined, namespace: string): Generator<number> {
  let read = 0
  for (const chunk of term?.chunks ?? none)
    for (const number of chunk) {
      if (index.namespaces.of(number) === namespace) yield number
      if (++read === SERVICES_MAX) return
    }
}
