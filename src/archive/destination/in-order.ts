import { Pace } from '../../scheduling/pace.ts'
import { sortInSteps } from '../../scheduling/sort-in-steps.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'

/** Sorts files by their names, and gives others their turn: an archive can have hundreds of thousands of files. */
export async function* inOrder<T extends { readonly name: string }>(files: Iterable<T>): AsyncGenerator<T> {
  const pace = new Pace()
  for (const file of sortInSteps(files, isBefore)) {
    if (file !== undefined) yield file
    if (pace.due) await pace.turn()
  }
}

function isBefore(left: { readonly name: string }, right: { readonly name: string }): boolean {
  return compareCodePoints(left.name, right.name) < 0
}
