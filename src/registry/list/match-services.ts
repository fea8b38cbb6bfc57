import { rangeOf, versionTest } from '../../records/version-range.ts'
import type { Term } from '../index/postings.ts'
import type { ServiceIndex } from '../index/service-index.ts'
import type { SetDigest } from '../index/set-digest.ts'
import type { Leases } from '../leases/leases.ts'
import type { ServiceFilters } from './list-query.ts'

/** The services that match some filters at one moment: their numbers, in no particular order. */
export interface Matches {
  /** `undefined`: every service. */
  readonly numbers: readonly number[] | undefined
  readonly total: number
  readonly digest: SetDigest
}

/** One filter. `numbers` lists what fulfils it; a filter without can only be asked about single numbers. */
interface Criterion {
  readonly size: number
  readonly numbers?: () => Iterable<readonly number[]>
  has(number: number): boolean
}

/** Which versions fulfil the filter `version`, as far as they were judged beforehand. */
export type VersionVerdicts = ReadonlyMap<Term, boolean>

/** What filters are judged by, beside the records. */
export interface MatchContext {
  readonly leases: Leases
  /** What `judgeVersions` found out about the filter `version`. @default every version is judged when it is met */
  readonly verdicts?: VersionVerdicts | undefined
}

/**
 * Finds the services that fulfil all filters: walks those of the filter that the fewest fulfil, and asks the others
 * about each of them.
 */
export function matchServices(
  index: ServiceIndex,
  filters: ServiceFilters,
  { leases, verdicts }: MatchContext,
): Matches {
  const criteria = criteriaOf(index, filters, { leases, verdicts })
  if (criteria.length === 0) return { numbers: undefined, total: index.size, digest: index.digest }
  const listed = criteria.filter(({ numbers }) => numbers !== undefined)
  const base = listed.reduce(
    (least, next) => (next.size < least.size ? next : least),
    listed[0] ?? everything(index),
  )
  const tests = criteria
    .filter((criterion) => criterion !== base)
    .sort((left, right) => left.size - right.size)
    .map((criterion) => membership(index, criterion, base.size))
  return select(index, base, tests)
}

function select(
  index: ServiceIndex,
  base: Criterion,
  tests: readonly ((number: number) => boolean)[],
): Matches {
  const { facts } = index
  const numbers: number[] = []
  let high = 0
  let low = 0
  for (const chunk of base.numbers?.() ?? [])
    for (const number of chunk) {
      if (!tests.every((test) => test(number))) continue
      numbers.push(number)
      high = (high + facts.digestHigh(number)) | 0
      low = (low + facts.digestLow(number)) | 0
    }
  return { numbers, total: numbers.length, digest: { high, low } }
}

function criteriaOf(
  index: ServiceIndex,
  filters: ServiceFilters,
  { leases, verdicts }: MatchContext,
): Criterion[] {
  const { name, version, status, health } = filters
  const terms = termsOf(index, filters)
  const criteria = terms.map((term) => termCriterion(term, (number) => term?.has(number) ?? false))
  if (name !== undefined) criteria.push(nameCriterion(index, name))
  if (version !== undefined) criteria.push(versionCriterion(index, version, verdicts))
  if (status !== undefined) {
    const active = status === 'active'
    const size = active ? index.activeCount : index.size - index.activeCount
    criteria.push({ size, has: (number) => index.facts.active(number) === active })
  }
  // Last in any order by size: it has to ask the leases.
  if (health !== undefined)
    criteria.push({
      size: Number.POSITIVE_INFINITY,
      has: (number) => healthOf(index, leases, number) === health,
    })
  return criteria
}

function termsOf(index: ServiceIndex, filters: ServiceFilters): (Term | undefined)[] {
  return [
    ...filters.tags.map((tag) => index.byTag.get(tag)),
    ...filters.capabilities.map((capability) => index.byCapability.get(capability)),
    ...filters.metadata.map(([key, text]) => index.metadata(key, text)),
  ]
}

/** The lists of services that the filters other than `version` leave. */
export function listedTerms(index: ServiceIndex, filters: ServiceFilters): Term[] {
  const named = filters.name === undefined ? [] : [index.byName.get(filters.name)]
  return [...named, ...termsOf(index, filters)].filter((term) => term !== undefined)
}

function healthOf(index: ServiceIndex, leases: Leases, number: number) {
  const ttlSeconds = index.facts.ttlSeconds(number)
  // Looking at a million records takes ten times as long as looking at their numbers.
  if (ttlSeconds === 0 && leases.size === 0) return 'unknown'
  const { id, updatedAt } = index.record(number)
  return leases.healthOf(id, ttlSeconds, updatedAt)
}

function termCriterion(term: Term | undefined, has: (number: number) => boolean): Criterion {
  return { size: term?.size ?? 0, numbers: () => term?.chunks ?? [], has }
}

function nameCriterion(index: ServiceIndex, name: string): Criterion {
  const term = index.byName.get(name)
  return termCriterion(term, (number) => index.nameOf(number) === term)
}

/** A range of semantic versions; a version that is not semantic fulfils only its own text. */
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
  // Where nearly every service has a version of its own, judging all versions costs more than asking about single numbers.
  if (index.byVersion.size > VERSIONS_JUDGED_MAX) return { size: index.size, has }
  const terms = [...index.byVersion.terms()].filter(fulfils)
  const size = terms.reduce((sum, term) => sum + term.size, 0)
  return { size, has, numbers: () => terms.flatMap(({ chunks }) => chunks) }
}

const VERSIONS_JUDGED_MAX = 2_000

function everything(index: ServiceIndex): Criterion {
  return {
    size: index.size,
    numbers: () => servedNumbers(index),
    has: () => true,
  }
}

function* servedNumbers(index: ServiceIndex): Generator<readonly number[]> {
  for (let start = 0; start < index.numberEnd; start += BLOCK) {
    const numbers: number[] = []
    const end = Math.min(index.numberEnd, start + BLOCK)
    for (let number = start; number < end; number += 1) if (index.holds(number)) numbers.push(number)
    yield numbers
  }
}

const BLOCK = 4_096

/** A fast test for membership: looking up a few numbers costs less than marking all that fulfil the filter, and many more. */
function membership(index: ServiceIndex, criterion: Criterion, probes: number): (number: number) => boolean {
  if (criterion.numbers === undefined || probes * PROBE_COST < criterion.size) return criterion.has
  const marks = new Uint8Array(index.numberEnd)
  for (const chunk of criterion.numbers()) for (const number of chunk) marks[number] = 1
  return (number) => marks[number] === 1
}

/** A search in a sorted list takes as long as marking about this many numbers. */
const PROBE_COST = 16
