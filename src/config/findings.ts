import { CoordinatorError, type ErrorCode } from '../errors.ts'

type ConfigCode = Extract<ErrorCode, `COORD_CONFIG_${string}`>

interface Fault {
  readonly variable: string
  readonly code: ConfigCode
  readonly message: string
}

/**
 * Collects what is wrong with the environment, so that one start tells everything. Texts never repeat a value: whoever
 * swaps two variables would find a key in the log.
 */
export class Findings {
  readonly #faults: Fault[] = []
  readonly #warnings: string[] = []

  /**
   * Notes a fault that forbids the start.
   *
   * @param message one sentence that names the variable and the repair
   */
  fault(variable: string, message: string, code: ConfigCode = 'COORD_CONFIG_INVALID'): undefined {
    this.#faults.push({ variable, code, message })
  }

  /** Notes something that the operator should know, and that does not forbid the start. */
  warn(message: string): void {
    this.#warnings.push(message)
  }

  get warnings(): readonly string[] {
    return this.#warnings
  }

  /** @throws COORD_CONFIG_INVALID, COORD_CONFIG_INCOMPLETE or COORD_CONFIG_UNSUPPORTED, with every fault in `errors` */
  throwFaults(): void {
    const [first] = this.#faults
    if (first === undefined) return
    const same = this.#faults.every((fault) => fault.code === first.code)
    throw new CoordinatorError(same ? first.code : 'COORD_CONFIG_INVALID', {
      detail: this.#faults.map((fault) => fault.message).join(' '),
      errors: this.#faults.map(({ variable, code, message }) => ({ path: variable, code, message })),
    })
  }
}
