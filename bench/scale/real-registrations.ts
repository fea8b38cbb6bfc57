import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What the registrations of a measurement look like. */
export interface Shape {
  /** Characters of text that every registration has in addition. @default 0 */
  readonly extraBytes?: number
  /** Dependencies of each service, on the first 10,000 services. @default those of the real one */
  readonly dependencies?: number
}

interface RealService {
  readonly serviceName: string
  readonly metadata: Readonly<Record<string, string>>
  readonly dependencies: readonly (string | object)[]
}

const files = ['online-boutique', 'opentelemetry-demo']

/** The services of two real systems, as JSON. */
const real = files.flatMap(
  (file) =>
    JSON.parse(
      readFileSync(new URL(`../../examples/data/${file}.json`, import.meta.url), 'utf8'),
    ) as RealService[],
)
const names = new Set(real.map(({ serviceName }) => serviceName))

/**
 * The registration of a number: a copy of one of the real services of `examples/data`. Each copy of the two systems has names of its
 * own, so that its dependencies lead to services of the same copy.
 *
 * @param round which of several registrations of the same service this is; each has another text
 */
export function realRegistration(
  number: number,
  { extraBytes = 0, dependencies }: Shape = {},
  round = 0,
): string {
  const service = real[number % real.length] as RealService
  const copy = Math.floor(number / real.length)
  const rename = (name: string) => (names.has(name) ? `${name}-${copy}` : name)
  return JSON.stringify({
    ...service,
    serviceName: rename(service.serviceName),
    metadata: {
      ...service.metadata,
      build: String(1_000 + round),
      ...textOf(extraBytes, `${number} ${round}`),
    },
    dependencies:
      dependencies === undefined
        ? service.dependencies.map((each) => (typeof each === 'string' ? rename(each) : each))
        : Array.from({ length: dependencies }, (_, index) => nameOf((number * 7 + index * 131 + 1) % 10_000)),
  })
}

function nameOf(number: number): string {
  return `${(real[number % real.length] as RealService).serviceName}-${Math.floor(number / real.length)}`
}

/** A text that compresses no better than identifiers and hashes do. */
function textOf(length: number, seed: string): Record<string, string> {
  if (length === 0) return {}
  return {
    text: createHash('shake256', { outputLength: length / 2 })
      .update(seed)
      .digest('hex'),
  }
}
