import type { View } from '../../live/view/view.ts'
import { versionTest } from '../../records/version-range.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { Term } from '../index/postings.ts'
import { serviceIndex } from '../index/service-index.ts'
import type { ServiceFilters } from './list-query.ts'
import { listedTerms, type VersionVerdicts } from './match-services.ts'

/** Up to this many versions are judged when they are met. That takes a millisecond at most. */
const FEW = 256

/**
 * Judges the versions of a list against the filter `version` beforehand, in several turns. A range and tens of thousands of versions would
 * otherwise block all other requests.
 *
 * @returns `undefined` if nothing needs to be judged beforehand
 */
export async function judgeVersions(
  view: View,
  filters: ServiceFilters,
): Promise<VersionVerdicts | undefined> {
  const { version } = filters
  if (version === undefined) return undefined
  const terms = termsToJudge(view, filters)
  if (terms.size <= FEW) return undefined
  const test = versionTest(version)
  const verdicts = new Map<Term, boolean>()
  const pace = new Pace()
  for (const term of terms) {
    verdicts.set(term, test(term.text))
    if (pace.due) await pace.turn()
  }
  return verdicts
}

/** The versions of the services that fulfill another filter, or all versions if no filter leaves fewer. */
function termsToJudge(view: View, filters: ServiceFilters): ReadonlySet<Term> {
  const index = view.projection(serviceIndex)
  const [fewest] = listedTerms(index, filters).sort((left, right) => left.size - right.size)
  if (fewest === undefined || fewest.size >= index.byVersion.size) return new Set(index.byVersion.terms())
  return new Set(fewest.chunks.flatMap((numbers) => numbers.map((number) => index.versionOf(number))))
}
