import { type FormatOptions, readFormat } from '../../../src/cli/formats/read-format.ts'
import type { FormatReading } from '../../../src/cli/formats/reading/format-reading.ts'

/** A registration that a format made. */
export interface Made {
  readonly serviceName: string
  readonly instanceId: string
  readonly version: string
  readonly endpoint: string
  readonly healthCheck?: string
  readonly namespace?: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly tags: readonly string[]
  readonly dependencies: readonly unknown[]
}

/** Reads a text that is in one of the formats. */
export function read(text: string, options: Partial<FormatOptions> = {}): FormatReading {
  const reading = readFormat(text, { file: 'file.yaml', ...options })
  if (reading === undefined) throw new Error('the text is in none of the formats')
  return reading
}

/** The registrations of a text, by the name of the service. */
export function servicesIn(
  text: string,
  options: Partial<FormatOptions> = {},
): Readonly<Record<string, Made>> {
  const made = read(text, options).services as unknown as readonly Made[]
  return Object.fromEntries(made.map((service) => [service.serviceName, service]))
}

/** What could not be read, as lines of text. */
export function unreadableIn(text: string, options: Partial<FormatOptions> = {}): readonly string[] {
  return read(text, options).unreadable.map(({ where, why }) => `${where}: ${why}`)
}
