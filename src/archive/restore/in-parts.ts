/** What a store takes in one call. */
export interface PartOptions<Item> {
  /** The most items. */
  readonly most: number
  /** The length of the text of an item, in UTF-16 code units. */
  readonly sizeOf: (item: Item) => number
  /** Whether a part must end with this item. @default never */
  readonly endsWith?: (item: Item) => boolean
}

/** How much text a call may carry, in UTF-16 code units. A single larger item is a call of its own. */
const TEXT_PER_CALL = 4_194_304

/** Gathers and cuts lists of any length into parts that a store takes in one call. No part is empty. */
export async function* inParts<Item>(
  lists: AsyncIterable<readonly Item[]>,
  { most, sizeOf, endsWith = () => false }: PartOptions<Item>,
): AsyncGenerator<Item[]> {
  let part: Item[] = []
  let size = 0
  for await (const list of lists)
    for (const item of list) {
      const added = sizeOf(item)
      if (part.length > 0 && (part.length >= most || size + added > TEXT_PER_CALL)) {
        yield part
        part = []
        size = 0
      }
      part.push(item)
      size += added
      if (!endsWith(item)) continue
      yield part
      part = []
      size = 0
    }
  if (part.length > 0) yield part
}
