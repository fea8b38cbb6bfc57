import type { Store } from '../../../src/database/store.ts'

/** The process ends here. No retry comes after it. */
export class Killed extends Error {}

/** Counts the calls of several stores, and ends the process at one of them. */
export class Fate {
  /** How many calls were made. */
  calls = 0
  readonly #dieAt: number
  readonly #afterwards: boolean

  /**
   * @param dieAt the number of the call at which the process ends; the first one is 1
   * @param afterwards whether the store still does what the call says
   */
  constructor(dieAt: number, { afterwards = false } = {}) {
    this.#dieAt = dieAt
    this.#afterwards = afterwards
  }

  async meet<T>(run: () => Promise<T>): Promise<T> {
    this.calls += 1
    const { calls } = this
    if (calls > this.#dieAt || (calls === this.#dieAt && !this.#afterwards)) throw new Killed()
    const result = await run()
    if (calls === this.#dieAt) throw new Killed()
    return result
  }
}

/** A connection to a store, of a process that ends as its fate says. */
export function dying(store: Store, fate: Pick<Fate, 'meet'>): Store {
  const call =
    (target: object, member: (...args: never[]) => unknown) =>
    (...args: never[]) =>
      fate.meet(async () => member.apply(target, args))
  const pages = (member: Store['asOf']): Store['asOf'] =>
    async function* (...args) {
      for await (const page of member.apply(store, args)) yield await fate.meet(async () => page)
    }
  return new Proxy(store, {
    get(target, name) {
      if (name === 'access')
        return new Proxy(target.access, {
          get: (access, member) => call(access, Reflect.get(access, member) as () => unknown),
        })
      if (name === 'asOf') return pages(target.asOf)
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? call(target, member as () => unknown) : member
    },
  })
}
