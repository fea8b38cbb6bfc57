/** Reads the next item while the caller works on the one before. What the source throws comes when it is the turn of that item. */
export async function* readOneAhead<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  const items = source[Symbol.asyncIterator]()
  const read = () => {
    const next = items.next()
    // It is thrown below.
    next.catch(() => undefined)
    return next
  }
  let next = read()
  try {
    for (;;) {
      const { done, value } = await next
      if (done === true) return
      next = read()
      yield value
    }
  } finally {
    // A caller that stops early needs neither this item nor its failure.
    await next.catch(() => undefined)
    await items.return?.()
  }
}
