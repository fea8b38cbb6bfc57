import { constants } from 'node:os'

/**
 * Signals this close together are one: Ctrl-C can arrive twice, from the terminal and from npm, and `timeout` of the GNU coreutils signals
 * the process and its group.
 */
const sameSignalMs = 500

/** The reason of a signal by which a person, or the system, ends a command. */
export class Interruption extends Error {
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`The command got ${signal}.`)
    this.name = 'Interruption'
    this.signal = signal
  }

  /** What shells expect of a process that a signal ended: 130 for SIGINT, 143 for SIGTERM. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal]
  }
}

/**
 * Runs work that ends early, and in order, if SIGINT or SIGTERM arrives: its abort signal then has an `Interruption` as its reason. A
 * second signal ends the process at once.
 */
export async function interruptible<T>(work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let since: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    if (since === undefined) {
      since = performance.now()
      controller.abort(new Interruption(signal))
    } else if (performance.now() - since > sameSignalMs) {
      process.exit(new Interruption(signal).exitCode)
    }
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
