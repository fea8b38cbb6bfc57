import { smallest } from '../../collections/smallest.ts'
import { byCodeUnits } from '../../collections/sorted-list.ts'
import type { ServiceIndex } from '../index/service-index.ts'
import type { Matches } from './match-services.ts'

/** A position in the order of a list. A page begins after a key, whether or not that service still exists. */
export interface SortKey {
  readonly name: string
  readonly id: string
}

/**
 * The first record numbers after a key, in order of serviceName and serviceId. A few matches are sorted. For many matches, the function
 * walks through all services in order until it has found enough.
 */
export function selectPage(
  index: ServiceIndex,
  { numbers, total }: Matches,
  { after, count }: { readonly after?: SortKey | undefined; readonly count: number },
): readonly number[] {
  if (numbers === undefined) return take(walk(index, after), () => true, count)
  // Walking looks at `size / total` services for each match that it finds. Sorting looks at every match, and compares texts.
  if (total * total * COMPARE_COST > index.size * Math.min(count, total)) {
    const marks = new Uint8Array(index.numberEnd)
    for (const number of numbers) marks[number] = 1
    return take(walk(index, after), (number) => marks[number] === 1, count)
  }
  const behind =
    after === undefined
      ? numbers
      : numbers.filter((number) => compareKeys(sortKeyOf(index, number), after) > 0)
  return smallest(behind, count, (left, right) => index.compare(left, right))
}

/** Comparing two services takes as long as walking over this many. */
const COMPARE_COST = 8

function take(
  walked: Iterable<readonly number[]>,
  wanted: (number: number) => boolean,
  count: number,
): number[] {
  const page: number[] = []
  for (const chunk of walked)
    for (const number of chunk) {
      if (page.length === count) return page
      if (wanted(number)) page.push(number)
    }
  return page
}

/** All numbers in order, after a key. */
function* walk(index: ServiceIndex, after: SortKey | undefined): Generator<readonly number[]> {
  for (const name of after === undefined ? index.names.from('') : index.names.from(after.name)) {
    const chunks = index.byName.ordered(name)
    if (name !== after?.name) yield* chunks
    else for (const chunk of chunks) yield chunk.filter((number) => index.record(number).id > after.id)
  }
}

export function sortKeyOf(index: ServiceIndex, number: number): SortKey {
  return { name: index.nameOf(number).text, id: index.record(number).id }
}

/** The order of a list. */
export function compareKeys(left: SortKey, right: SortKey): number {
  return byCodeUnits(left.name, right.name) || byCodeUnits(left.id, right.id)
}
