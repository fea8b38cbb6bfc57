import { smallest } from '../../collections/smallest.ts'
import type { ServiceIndex } from '../index/service-index.ts'
import { byCodeUnits } from '../index/sorted-list.ts'
import type { Matches } from './match-services.ts'

/** A place in the order of a list: everything after it is on later pages, whether or not the service still exists. */
export interface ListPlace {
  readonly name: string
  readonly id: string
}

/**
 * The first numbers in order of serviceName and serviceId, behind a place. Few matches are sorted; of many, the order of
 * all services is walked until enough were found.
 */
export function selectPage(
  index: ServiceIndex,
  { numbers, total }: Matches,
  { after, count }: { readonly after?: ListPlace | undefined; readonly count: number },
): readonly number[] {
  if (numbers === undefined) return take(walk(index, after), () => true, count)
  // Walking looks at `size / total` services for each one it finds; sorting looks at every match, and compares texts.
  if (total * total * COMPARE_COST > index.size * Math.min(count, total)) {
    const marks = new Uint8Array(index.numberEnd)
    for (const number of numbers) marks[number] = 1
    return take(walk(index, after), (number) => marks[number] === 1, count)
  }
  const behind = after === undefined ? numbers : numbers.filter((number) => isBehind(index, number, after))
  return smallest(behind, count, (left, right) => index.compare(left, right))
}

/** Comparing two services takes as long as walking over so many. */
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

/** All numbers in order, behind a place. */
function* walk(index: ServiceIndex, after: ListPlace | undefined): Generator<readonly number[]> {
  for (const name of after === undefined ? index.names.from('') : index.names.from(after.name)) {
    const chunks = index.byName.ordered(name)
    if (name !== after?.name) yield* chunks
    else for (const chunk of chunks) yield chunk.filter((number) => index.record(number).id > after.id)
  }
}

function isBehind(index: ServiceIndex, number: number, place: ListPlace): boolean {
  return comparePlaces({ name: index.nameOf(number).text, id: index.record(number).id }, place) > 0
}

/** The order of a list. */
export function comparePlaces(left: ListPlace, right: ListPlace): number {
  return byCodeUnits(left.name, right.name) || byCodeUnits(left.id, right.id)
}
