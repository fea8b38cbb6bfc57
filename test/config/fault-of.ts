import { readSettings } from '../../src/config/settings.ts'
import { CoordinatorError } from '../../src/errors.ts'

/** The error that an environment ends the start with. Fails where it does not. */
export function faultOf(env: Readonly<Record<string, string>>): CoordinatorError {
  try {
    readSettings(env)
  } catch (error) {
    if (error instanceof CoordinatorError) return error
    throw error
  }
  throw new Error('the environment was accepted')
}
