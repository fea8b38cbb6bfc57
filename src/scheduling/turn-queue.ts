/** The items of one owner. Those before `from` were taken. */
interface Line<T> {
  items: T[]
  from: number
}

/** Taken items are removed from the list once there are so many, because that moves all others. */
const removedAtOnce = 256

/** A queue in which owners take turns. The items of one owner keep their order, and wait for one item of each other owner at most. */
export class TurnQueue<T> {
  /** The owner whose turn is next comes first. */
  readonly #lines = new Map<string, Line<T>>()
  #length = 0

  get length(): number {
    return this.#length
  }

  /** How many items of one owner wait. */
  lengthOf(owner: string): number {
    const line = this.#lines.get(owner)
    return line === undefined ? 0 : line.items.length - line.from
  }

  push(owner: string, item: T): void {
    this.#length += 1
    const line = this.#lines.get(owner)
    if (line === undefined) this.#lines.set(owner, { items: [item], from: 0 })
    else line.items.push(item)
  }

  /** The next item, which stays in the queue. */
  get next(): T | undefined {
    for (const { items, from } of this.#lines.values()) return items[from]
    return undefined
  }

  take(): T | undefined {
    for (const [owner, line] of this.#lines) {
      const item = line.items[line.from] as T
      line.from += 1
      this.#length -= 1
      const isEmpty = line.from === line.items.length
      if (line.from >= removedAtOnce && !isEmpty) {
        line.items.splice(0, line.from)
        line.from = 0
      }
      if (isEmpty) this.#lines.delete(owner)
      else if (this.#lines.size > 1) {
        this.#lines.delete(owner)
        this.#lines.set(owner, line)
      }
      return item
    }
    return undefined
  }

  /** Removes the items that do not pass a test. */
  retain(passes: (item: T) => boolean): void {
    this.#length = 0
    for (const [owner, line] of this.#lines) {
      line.items = line.items.slice(line.from).filter(passes)
      line.from = 0
      this.#length += line.items.length
      if (line.items.length === 0) this.#lines.delete(owner)
    }
  }

  /** In no particular order. */
  *[Symbol.iterator](): Generator<T> {
    for (const { items, from } of this.#lines.values())
      for (let at = from; at < items.length; at += 1) yield items[at] as T
  }
}
