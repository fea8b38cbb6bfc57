import { runProgram } from './cli/program.ts'
import type { Serve } from './cli/serve.ts'
import { reportError } from './cli/terminal/report-error.ts'
import { processTerminal } from './cli/terminal/terminal.ts'
import { readSettings, secretTexts } from './config/settings.ts'
import type { Coordinator } from './coordinator.ts'
import { CoordinatorError } from './errors.ts'
import type { Logger } from './telemetry/logging.ts'
import { trimHeapAtRest } from './workers/trim-heap.ts'

/** How long a process that ends because of its own fault may still store waiting writes. */
const lastEffortMs = 2_000

/**
 * Signals this close together are one request to stop. Ctrl-C can arrive twice, from the terminal and from npm, if npm's shell
 * replaces itself by the program, as bash does. `timeout` of the GNU coreutils signals the process and its group.
 */
const sameSignalMs = 500

/** How often a coordinator that npm started checks that npm still runs. */
const parentCheckMs = 500

const terminal = processTerminal()

// `coordinator services | head`: a reader that stops early is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  const fault = unwritable('The output cannot be written', error)
  reportError(fault, terminal)
  process.exit(fault.exitCode)
})
// If stderr cannot be written, the work continues, and the exit code stays the same.
process.stderr.on('error', () => undefined)

/** Runs a coordinator until a signal ends it. Only this command loads its modules, so that the others start quickly. */
const serve: Serve = async (env) => {
  const settings = readSettings(env)
  const [{ createCoordinator }, { createLogger }] = await Promise.all([
    import('./coordinator.ts'),
    import('./telemetry/logging.ts'),
  ])
  const logger = await createLogger({
    level: settings.logLevel,
    format: settings.logFormat,
    secrets: secretTexts(settings),
    onUnwritable: (error) =>
      reportError(
        unwritable('The coordinator serves without its log, which cannot be written', error),
        terminal,
      ),
  })
  const coordinator = await createCoordinator({ settings, logger })
  endOnFault(coordinator, logger)
  const stopped = stopOnSignal(coordinator, logger)
  try {
    await coordinator.start()
  } catch (thrown) {
    const stopping = thrown instanceof CoordinatorError && thrown.code === 'COORD_SHUTTING_DOWN'
    if (!stopping) throw thrown
  }
  trimHeapAtRest()
  const { cut } = await stopped
  return cut === 0 ? 0 : 1
}

function unwritable(what: string, cause: NodeJS.ErrnoException): CoordinatorError {
  return new CoordinatorError('COORD_OUTPUT_UNWRITABLE', {
    detail: `${what} (${cause.code ?? cause.message}).`,
    cause,
  })
}

/** Resolves when the coordinator has stopped after SIGTERM or SIGINT. A second signal ends the process at once. */
function stopOnSignal(coordinator: Coordinator, logger: Logger): ReturnType<Coordinator['stop']> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Coordinator['stop']>>>()
  let stoppingSince: number | undefined
  const stop = (reason: string) => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince < sameSignalMs) return
      logger.warn({ reason }, 'stopped at once')
      process.exit(1)
    }
    stoppingSince = performance.now()
    logger.info({ reason }, 'stopping; send a signal again to stop at once')
    coordinator.stop().then(resolve, reject)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  whenLeftByNpm(() => stoppingSince === undefined && stop('npm is gone'))
  return promise
}

/**
 * npm ends at a signal and does not pass it on to a program that it started with a shell. Without this check, the coordinator
 * would keep running, with the port and the database file.
 */
function whenLeftByNpm(stop: () => void): void {
  if (terminal.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  setInterval(() => process.ppid === parent || stop(), parentCheckMs).unref()
}

/** Ends the process after a fault that nothing caught: its state in memory can no longer be trusted. */
function endOnFault(coordinator: Coordinator, logger: Logger): void {
  const onFault = (thrown: unknown) => {
    logger.fatal({ err: thrown }, 'an unforeseen fault ends the process')
    reportError(thrown, terminal)
    const end = () => process.exit(1)
    setTimeout(end, lastEffortMs)
    coordinator.stop(lastEffortMs).then(end, end)
  }
  process.once('uncaughtException', onFault)
  process.once('unhandledRejection', onFault)
}

process.exitCode = await runProgram(process.argv.slice(2), { terminal, serve })
