import { expect } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'

/** The error with which some work fails. */
export function failureOf(work: Promise<unknown>): Promise<CoordinatorError> {
  return work.then(
    () => {
      throw new Error('It did not fail.')
    },
    (thrown: unknown) => {
      expect(thrown).toBeInstanceOf(CoordinatorError)
      return thrown as CoordinatorError
    },
  )
}
