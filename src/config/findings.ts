import { CoordinatorError, type ErrorCode } from '../errors.ts'

type ConfigCode = Extract<ErrorCode, `COORD_CONFIG_${string}`>

interface Fault {
  readonly code?: ConfigCode
  /** The variable to set, where it is another one than the text begins with. */
  readonly missing?: string
}

/**
 * Collects what is wrong with the environment, so that one start reports all of it. A text never repeats a value: if two variables
 * are swapped, the value may be a key.
 */
export class Findings {
  readonly #faults: { readonly path: string; readonly code: ConfigCode; readonly message: string }[] = []
  readonly #warnings: string[] = []

  /**
   * Notes a fault that prevents the start.
   *
   * @param text the sentence after the name of the variable, without the full stop. It names the repair.
   */
  fault(
    variable: string,
    text: string,
    { code = 'COORD_CONFIG_INVALID', missing = variable }: Fault = {},
  ): undefined {
    const message = `${variable} ${text}.`
    // A wrong variable PG* is found again for each URL that it fills in.
    if (this.#faults.some((known) => known.message === message)) return
    this.#faults.push({ path: missing, code, message })
  }

  /** Notes something that the operator should know. It does not prevent the start. */
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
      errors: this.#faults,
    })
  }
}
