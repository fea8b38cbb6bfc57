import type { ServiceIndex } from '../index/service-index.ts'
import { byCodeUnits } from '../index/sorted-list.ts'
import type { Matches } from './match-services.ts'
import { Smallest } from './smallest.ts'

/** A place in the order of a list: everything after it is on later pages, whether or not the service still exists. */
export interface ListPlace {
  readonly name: string
  readonly id: string
}

/**
 * The first slots in order of serviceName and serviceId, behind a place. Few matches are sorted; of many, the order of
 * all services is walked until enough were found.
 */
export function selectPage(
  index: ServiceIndex,
  { slots, total }: Matches,
  { after, count }: { readonly after?: ListPlace | undefined; readonly count: number },
): readonly number[] {
  if (slots === undefined) return take(walk(index, after), () => true, count)
  // Walking looks at `size / total` services for each one it finds; sorting looks at every match, and compares texts.
  if (total * total * COMPARE_COST > index.size * Math.min(count, total)) {
    const marks = new Uint8Array(index.slotCount)
    for (const slot of slots) marks[slot] = 1
    return take(walk(index, after), (slot) => marks[slot] === 1, count)
  }
  return smallest(index, slots, { after, count })
}

/** Comparing two services takes as long as walking over so many. */
const COMPARE_COST = 8

function take(
  walked: Iterable<readonly number[]>,
  wanted: (slot: number) => boolean,
  count: number,
): number[] {
  const page: number[] = []
  for (const chunk of walked)
    for (const slot of chunk) {
      if (page.length === count) return page
      if (wanted(slot)) page.push(slot)
    }
  return page
}

/** All slots in order, behind a place. */
function* walk(index: ServiceIndex, after: ListPlace | undefined): Generator<readonly number[]> {
  for (const name of after === undefined ? index.names.from('') : index.names.from(after.name)) {
    const chunks = index.orderedByName(name)
    if (name !== after?.name) yield* chunks
    else for (const chunk of chunks) yield chunk.filter((slot) => index.record(slot).id > after.id)
  }
}

function smallest(
  index: ServiceIndex,
  slots: readonly number[],
  { after, count }: { readonly after?: ListPlace | undefined; readonly count: number },
): readonly number[] {
  const best = new Smallest<number>(count, (left, right) => index.compareSlots(left, right))
  for (const slot of slots) if (after === undefined || isBehind(index, slot, after)) best.offer(slot)
  return best.sorted()
}

function isBehind(index: ServiceIndex, slot: number, place: ListPlace): boolean {
  return comparePlaces({ name: index.nameOf(slot).text, id: index.record(slot).id }, place) > 0
}

/** The order of a list. */
export function comparePlaces(left: ListPlace, right: ListPlace): number {
  return byCodeUnits(left.name, right.name) || byCodeUnits(left.id, right.id)
}
