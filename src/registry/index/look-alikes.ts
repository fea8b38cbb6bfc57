import { LIMITS } from '../../records/limits.ts'
import { skeletonOf } from '../../text/skeleton.ts'

/** How many names are kept that look the same. Somebody may register all ways to write a name in small and capital letters. */
const SAME_MAX = 16
/** One character can have a skeleton of 18. A skeleton longer than any name is not kept: it would take many times the memory of its name. */
const SKELETON_MAX = 2 * LIMITS.nameLength

/**
 * Finds names that look alike. It keeps only the names that differ from their skeleton, because the others can be looked up by it: most
 * registries have few such names, or none.
 */
export class LookAlikes {
  readonly #odd = new Map<string, string | string[]>()

  /** Adds a name that is registered from now on. */
  add(name: string): void {
    const skeleton = skeletonOf(name)
    if (skeleton === name || skeleton.length > SKELETON_MAX) return
    const known = this.#odd.get(skeleton)
    if (known === undefined) this.#odd.set(skeleton, name)
    else if (typeof known === 'string') this.#odd.set(skeleton, [known, name])
    else if (known.length < SAME_MAX) known.push(name)
  }

  /** Removes a name that is no longer registered. */
  delete(name: string): void {
    const skeleton = skeletonOf(name)
    if (skeleton === name || skeleton.length > SKELETON_MAX) return
    const known = this.#odd.get(skeleton)
    if (known === name) this.#odd.delete(skeleton)
    if (!Array.isArray(known)) return
    const at = known.indexOf(name)
    if (at === -1) return
    known.splice(at, 1)
    if (known.length === 0) this.#odd.delete(skeleton)
  }

  /** Other names that may be registered, and look like a name. For a name of small letters and digits this is one look-up. */
  of(name: string): readonly string[] {
    const skeleton = skeletonOf(name)
    const odd = this.#odd.get(skeleton)
    if (odd === undefined && skeleton === name) return none
    return [skeleton, odd ?? none].flat().filter((other) => other !== name)
  }
}

const none: readonly never[] = []
