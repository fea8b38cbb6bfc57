import { CoordinatorError } from '../../errors.ts'

/** Whether a command that goes on for ever tries again after an error: the coordinator may only be restarting, or be busy. */
export function mayPass(thrown: unknown): thrown is CoordinatorError {
  return thrown instanceof CoordinatorError && (thrown.retryable || thrown.code === 'COORD_CLI_UNREACHABLE')
}
