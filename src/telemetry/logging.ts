import type { Writable } from 'node:stream'
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino'
import { describeError } from './describe-error.ts'
import { hideMembers } from './hide-members.ts'
import { createScrubber } from './scrub.ts'

export type { Logger } from 'pino'

export interface LoggingOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** `auto`: readable text if `destination` is a terminal, else JSON. @default 'auto' */
  readonly format?: 'auto' | 'json' | 'pretty'
  /** Texts that must never appear, such as keys and passwords. @default none */
  readonly secrets?: readonly string[]
  /** @default standard output */
  readonly destination?: Writable & { readonly isTTY?: boolean; readonly fd?: number }
  /** Called once, when lines cannot be written. @default no call */
  readonly onUnwritable?: (error: Error) => void
}

/** Up to this many bytes of lines that could not be written are kept, and written with the next line. */
const keptBytes = 1_048_576

/**
 * The logger of a process. Lines are written at once, so that the last one before an exit is not lost. `err` takes an
 * error; secrets are removed from every line.
 */
export async function createLogger(options: LoggingOptions): Promise<Logger> {
  const { level, format = 'auto', secrets = [], destination = process.stdout, onUnwritable } = options
  const scrub = createScrubber(secrets)
  const settings: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: (members) => hideMembers(members) },
    serializers: { err: describeError, error: describeError, req: undefinedOf, res: undefinedOf },
    hooks: { streamWrite: scrub },
  }
  const pretty = format === 'pretty' || (format === 'auto' && destination.isTTY === true)
  const stream = openStream(destination, onUnwritable)
  return pino(settings, pretty ? await prettyStream(stream, destination) : stream)
}

/** Fastify passes whole requests and replies to the logger. They are left out. */
function undefinedOf(): undefined {
  return undefined
}

function openStream(
  destination: NonNullable<LoggingOptions['destination']>,
  onUnwritable: LoggingOptions['onUnwritable'],
): DestinationStream {
  if (destination.fd === undefined) return destination
  const stream = pino.destination({ dest: destination.fd, sync: true, maxLength: keptBytes })
  // Without this listener, a full disk would end the process: the error would be thrown by the next log call.
  let told = false
  stream.on('error', (error: Error) => {
    if (!told) onUnwritable?.(error)
    told = true
  })
  return stream
}

async function prettyStream(
  stream: DestinationStream,
  { isTTY }: NonNullable<LoggingOptions['destination']>,
): Promise<DestinationStream> {
  const { prettyLine } = await import('./pretty-line.ts')
  const color = isTTY === true && !process.env['NO_COLOR']
  return { write: (line) => stream.write(prettyLine(line, { color })) }
}
