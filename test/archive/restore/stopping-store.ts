import type { Store } from '../../../src/database/store.ts'

/** The process ended. Nothing after it happens. */
export class Killed extends Error {}

/**
 * A store whose process ends at one of its calls: before the call takes effect, or after it, when the answer is lost.
 *
 * @param at the number of the call, from 1 on; calls of `access` count, too
 */
export function stoppingStore(store: Store, at: number, when: 'before' | 'after'): Store {
  let calls = 0
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(from, name) {
        const member: unknown = Reflect.get(from, name, from)
        if (name === 'access') return counted(member as object)
        if (typeof member !== 'function') return member
        const begin = () => {
          calls += 1
          if (calls > at || (calls === at && when === 'before')) throw new Killed()
        }
        const end = () => {
          if (calls === at) throw new Killed()
        }
        if (name === 'asOf' || name === 'load')
          return async function* pages(...parameters: unknown[]) {
            begin()
            yield* member.apply(from, parameters) as AsyncIterable<unknown>
            end()
          }
        return async (...parameters: unknown[]) => {
          begin()
          const result: unknown = await member.apply(from, parameters)
          end()
          return result
        }
      },
    })
  return counted(store)
}
