import type { z } from 'zod'
import type { Scope } from '../../access/scopes/scope.ts'
import type { ErrorCode } from '../../errors.ts'

/** Chapters of the reference, in their order. */
export const CHAPTERS = {
  registry: 'Register services, find them, and read their history.',
  graph: 'Dependencies between services, now and in the past, and the journal of all changes.',
  access: 'Credentials, and what they permit.',
  operations: 'For operators: health, metrics, and the state of the database.',
  about: 'Documentation of this interface.',
} as const satisfies Record<string, string>
export type Chapter = keyof typeof CHAPTERS

/** The body of an answer. */
export interface AnswerDescription {
  readonly description: string
  /** @default no body */
  readonly content?: Readonly<Record<string, z.ZodType | undefined>>
}

/** An answer with a JSON body. @param others more media types in which the same answer is available */
export function json(
  description: string,
  schema: z.ZodType,
  others: readonly string[] = [],
): AnswerDescription {
  const inOthers = Object.fromEntries(others.map((type) => [type, undefined]))
  return { description, content: { 'application/json': schema, ...inOthers } }
}

/**
 * Who may use a route: `public`, everybody, because it shows no state; `caller`, everybody whose credential is good, whatever its scopes;
 * a scope; or several, of which one is enough.
 */
export type RouteScope = 'public' | 'caller' | Scope | readonly Scope[]

/**
 * The description of a route for the reference, and the parameters that the server accepts there. The reference does not show
 * routes without a description.
 */
export interface Operation {
  readonly chapter: Chapter
  readonly scope: RouteScope
  /** Demanded instead of `scope` by `dryRun=true`, which changes nothing. */
  readonly dryRunScope?: Scope
  /** Whether the reference leaves this route out, because it shows the same route under another name. @default false */
  readonly hidden?: boolean
  readonly summary: string
  /** Markdown. */
  readonly description?: string
  /** The meaning of path parameters, by name. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Parameters of the query string. A request with others is refused. @default none */
  readonly query?: z.ZodObject
  /** The body. The domain checks it by the same schema. */
  readonly body?: { readonly schema: z.ZodType; readonly example: unknown; readonly required?: boolean }
  readonly answers: Readonly<Record<number, AnswerDescription>>
  /** Codes of this operation in particular, in addition to those of its kind. */
  readonly errors?: readonly ErrorCode[]
  /** Whether it changes records. It then takes idempotency keys, and a 503 says whether anything was written. */
  readonly writes?: boolean
  /** Whether it changes tokens. Like other writes, it continues without its client, and a 503 says whether anything was written. */
  readonly writesTokens?: boolean
  /** Whether it takes `If-Match` and `If-None-Match`, because it changes one record. */
  readonly conditional?: boolean
  /** Whether it answers from the records. Its answers then name their revision. */
  readonly state?: boolean
  /** Whether it answers with server-sent events to those who want them. */
  readonly streams?: boolean
  /** Whether a request without a query string is answered in the turn in which it arrives, so that it needs no time limit. */
  readonly immediate?: boolean
}

/** The name of an operation in the reference: `GET /services/:serviceId/history` is `getServicesByServiceIdHistory`. */
export function operationId({
  method,
  pattern,
}: {
  readonly method: string
  readonly pattern: string
}): string {
  const words = pattern.split(/[/._-]/).filter((part) => part !== '')
  const name = words
    .map((part) => (part.startsWith(':') ? `By${capital(part.slice(1))}` : capital(part)))
    .join('')
  return `${method.toLowerCase()}${name === '' ? 'Root' : name}`
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly operation?: Operation
    /** The function that made its handler: `readRoute` or `writeRoute`. */
    readonly kind?: 'read' | 'write'
  }
}
