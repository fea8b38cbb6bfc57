import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { rangeOf, versionTest } from '../../records/version-range.ts'
import type { Term } from '../index/postings.ts'
import type { ServiceIndex } from '../index/service-index.ts'
import type { SetDigest } from '../index/set-digest.ts'
import type { Leases } from '../leases/leases.ts'
import type { WordVerdicts } from './judge-words.ts'
import type { ServiceFilters } from './list-query.ts'
import { wordTest } from './text-words.ts'

/** The services that match some filters at one moment: their record numbers, in no particular order. */
export interface Matches {
  /** `undefined`: every service. */
  readonly numbers: readonly number[] | undefined
  readonly total: number
  readonly digest: SetDigest
}

/** One filter. Without `numbers`, it can only be asked about one service after the other. */
interface Criterion {
  readonly size: number
  /** All services that fulfill it. */
  readonly numbers?: () => Iterable<readonly number[]>
  has(number: number): boolean
}

/** The versions that were already judged against the filter `version`, with their results. */
export type VersionVerdicts = ReadonlyMap<Term, boolean>

/** The filters that are costly to judge, with their results. */
export interface JudgedFilters {
  /** For the filter `version`. */
  readonly versions?: VersionVerdicts | undefined
  /** For the filter `words`. */
  readonly words?: WordVerdicts | undefined
}

/** The data that filters need in addition to the records. */
export interface MatchContext {
  readonly leases: Leases
  /** What was judged beforehand. @default each version and each text is judged when it is met */
  readonly judged?: JudgedFilters | undefined
}

/**
 * Finds the services that fulfill all filters. It takes the filter that the fewest services fulfill, and checks each of its services with
 * the other filters.
 */
export function matchServices(index: ServiceIndex, filters: ServiceFilters, context: MatchContext): Matches {
  const criteria = criteriaOf(index, filters, context).sort((left, right) => left.size - right.size)
  if (criteria.length === 0) return { numbers: undefined, total: index.size, digest: index.digest }
  const base = criteria.find((criterion) => criterion.numbers !== undefined) ?? everything(index)
  const tests = criteria
    .filter((criterion) => criterion !== base)
    .map((criterion) => membership(index, criterion, base.size))
  const numbers: number[] = []
  let [high, low] = [0, 0]
  for (const chunk of base.numbers?.() ?? [])
    for (const number of chunk) {
      if (!tests.every((test) => test(number))) continue
      numbers.push(number)
      high = (high + index.facts.digestHigh(number)) | 0
      low = (low + index.facts.digestLow(number)) | 0
    }
  return { numbers, total: numbers.length, digest: { high, low } }
}

function criteriaOf(
  index: ServiceIndex,
  filters: ServiceFilters,
  { leases, judged }: MatchContext,
): Criterion[] {
  const { name, namespace, version, words, status, health } = filters
  const criteria = termsOf(index, filters).map((term) =>
    termCriterion(term, (number) => term?.has(number) ?? false),
  )
  if (name !== undefined) {
    const term = index.byName.get(name)
    criteria.push(termCriterion(term, (number) => index.nameOf(number) === term))
  }
  if (namespace !== undefined) criteria.push(namespaceCriterion(index, namespace))
  if (version !== undefined) criteria.push(versionCriterion(index, version, judged?.versions))
  if (status !== undefined) {
    const active = status === 'active'
    const size = active ? index.activeCount : index.size - index.activeCount
    criteria.push({ size, has: (number) => index.facts.active(number) === active })
  }
  if (words !== undefined) criteria.push(wordsCriterion(index, words, judged?.words))
  // Last in the order of size, because it has to ask the leases.
  if (health !== undefined)
    criteria.push({
      size: Number.POSITIVE_INFINITY,
      has: (number) => healthOf(index, leases, number) === health,
    })
  return criteria
}

function namespaceCriterion({ size, namespaces }: ServiceIndex, namespace: string): Criterion {
  const has = (number: number) => namespaces.of(number) === namespace
  return namespace === DEFAULT_NAMESPACE
    ? { size: size - namespaces.size, has }
    : termCriterion(namespaces.get(namespace), has)
}

function termsOf(index: ServiceIndex, filters: ServiceFilters): (Term | undefined)[] {
  return [
    ...filters.tags.map((tag) => index.byTag.get(tag)),
    ...filters.capabilities.map((capability) => index.byCapability.get(capability)),
    ...filters.metadata.map(([key, text]) => index.metadata(key, text)),
  ]
}

/** The lists of services that fulfill the filters other than `version`. */
export function listedTerms(index: ServiceIndex, filters: ServiceFilters): Term[] {
  const { name, namespace } = filters
  const named = name === undefined ? [] : [index.byName.get(name)]
  const inNamespace = namespace === undefined ? [] : [index.namespaces.get(namespace)]
  return [...named, ...inNamespace, ...termsOf(index, filters)].filter((term) => term !== undefined)
}

function healthOf(index: ServiceIndex, leases: Leases, number: number) {
  const ttlSeconds = index.facts.ttlSeconds(number)
  // Reading a million records takes ten times as long as reading only their numbers.
  if (ttlSeconds === 0 && leases.size === 0) return 'unknown'
  const { id, updatedAt } = index.record(number)
  return leases.healthOf(id, ttlSeconds, updatedAt)
}

function termCriterion(term: Term | undefined, has: (number: number) => boolean): Criterion {
  return { size: term?.size ?? 0, numbers: () => term?.chunks ?? [], has }
}

/** A range of versions. A stored version that cannot be compared with it matches only if it equals the text of the range. */
function versionCriterion(
  index: ServiceIndex,
  version: string,
  judged: VersionVerdicts | undefined,
): Criterion {
  if (rangeOf(version) === undefined) {
    const exact = index.byVersion.get(version)
    return termCriterion(exact, (number) => index.versionOf(number) === exact)
  }
  const test = versionTest(version)
  const verdicts = new Map<Term, boolean>()
  const fulfils = (term: Term) => {
    const known = judged?.get(term) ?? verdicts.get(term)
    if (known !== undefined) return known
    const verdict = test(term.text)
    verdicts.set(term, verdict)
    return verdict
  }
  const has = (number: number) => fulfils(index.versionOf(number))
  // If nearly every service has its own version, judging all versions costs more than checking one service at a time.
  if (index.byVersion.size > VERSIONS_JUDGED_MAX) return { size: index.size, has }
  const terms = [...index.byVersion.terms()].filter(fulfils)
  const size = terms.reduce((sum, term) => sum + term.size, 0)
  return { size, has, numbers: () => terms.flatMap(({ chunks }) => chunks) }
}

const VERSIONS_JUDGED_MAX = 2_000

/** Judging a text costs more than everything else: it is the last filter but for the health. */
function wordsCriterion(
  index: ServiceIndex,
  words: readonly string[],
  judged: WordVerdicts | undefined,
): Criterion {
  const { inText } = wordTest(words)
  return {
    size: Number.MAX_SAFE_INTEGER,
    has: (number) => judged?.of(index, number) ?? inText(index.record(number).data),
  }
}

function everything(index: ServiceIndex): Criterion {
  const numbers = () => {
    const all: number[] = []
    for (let number = 0; number < index.numberEnd; number += 1) if (index.holds(number)) all.push(number)
    return [all]
  }
  return { size: index.size, numbers, has: () => true }
}

/**
 * A fast test for membership. Looking up a few services costs less than marking all services that fulfill the filter; looking up many costs
 * more.
 */
function membership(index: ServiceIndex, criterion: Criterion, probes: number): (number: number) => boolean {
  if (criterion.numbers === undefined || probes * PROBE_COST < criterion.size) return criterion.has
  const marks = new Uint8Array(index.numberEnd)
  for (const chunk of criterion.numbers()) for (const number of chunk) marks[number] = 1
  return (number) => marks[number] === 1
}

/** A search in a sorted list takes as long as marking about this many services. */
const PROBE_COST = 16
