import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { z } from 'zod'
import { CoordinatorError } from '../../errors.ts'
import type { WriteContext } from '../../live/writing/write-context.ts'
import type { StateAnswer } from '../answering/answers.ts'
import { checkLineage, untilFresh } from '../reading/freshness.ts'
import { isDryRun } from '../reading/is-dry-run.ts'
import type { Operation } from '../reading/operation.ts'
import { QueryReader } from '../reading/read-query.ts'
import { writeContext } from '../reading/write-context.ts'
import { type LinesAnswer, sendLines } from '../streams/send-lines.ts'
import type { HttpContext } from './http-context.ts'

/** A route in the form that the framework takes. */
export interface Route {
  readonly config: { readonly operation: Operation; readonly kind: 'read' | 'write' }
  readonly handler: RouteHandlerMethod
}

/** The answer to a question; `undefined` if the route has sent it itself. */
export type ReadAnswer = StateAnswer | LinesAnswer | undefined

type Output<O extends Operation> = O['query'] extends z.ZodObject
  ? z.output<O['query']>
  : Readonly<Record<string, never>>

/**
 * A route that answers from the records. It reads the query string by the schema of the operation, and waits until the view is as new as
 * the request demands. It refuses a request that expects another history, also if the history changed during the wait.
 *
 * @param answer makes the answer. It is called after the wait
 */
export function readRoute<O extends Operation>(
  context: HttpContext,
  operation: O,
  answer: (
    request: FastifyRequest,
    query: Output<O>,
    reply: FastifyReply,
  ) => ReadAnswer | Promise<ReadAnswer>,
): Route {
  const { live } = context
  const admit = admission<O>(context, operation)

  function send(reply: FastifyReply, found: ReadAnswer): Promise<void> | undefined {
    if (found === undefined) return undefined
    if ('lines' in found) return sendLines(context, reply, found)
    context.answers.sendState(reply, found)
    return undefined
  }

  async function sendLater(reply: FastifyReply, finding: Promise<ReadAnswer>): Promise<void> {
    const found = await finding
    if (found === undefined) return
    checkLineage(live, reply.request)
    await send(reply, found)
  }

  async function findFresh(fresh: Promise<void>, query: Output<O>, reply: FastifyReply): Promise<ReadAnswer> {
    await fresh
    checkLineage(live, reply.request)
    return answer(reply.request, query, reply)
  }

  return {
    config: { operation, kind: 'read' },
    handler: (request, reply) => {
      const query = admit(request)
      const fresh = untilFresh(live, query)
      const found = fresh === undefined ? answer(request, query, reply) : findFresh(fresh, query, reply)
      return found instanceof Promise ? sendLater(reply, found) : send(reply, found)
    },
  }
}

/**
 * A route that changes records. It reads the query string by the schema of the operation, refuses a request that expects another history,
 * and reads the author and the conditions.
 *
 * @param write stores the change and makes the answer
 */
export function writeRoute<O extends Operation>(
  { live, answers, limits }: HttpContext,
  operation: O,
  write: (request: FastifyRequest, by: WriteContext, query: Output<O>) => Promise<StateAnswer>,
): Route {
  const admit = admission<O>({ live }, operation)
  return {
    config: { operation, kind: 'write' },
    handler: (request, reply) => {
      const query = admit(request)
      // What would happen is a question.
      if (!isDryRun(request, operation)) limits.countWrites(request)
      return write(request, writeContext(request), query).then((answer) => answers.sendState(reply, answer))
    },
  }
}

/** The checks of every request before its route. @returns a function that returns the parameters of the query string */
function admission<O extends Operation>(
  { live }: Pick<HttpContext, 'live'>,
  { query: schema = z.object({}), body }: O,
): (request: FastifyRequest) => Output<O> {
  const reader = new QueryReader(schema)
  const { withoutQuery } = reader
  return (request) => {
    const { headers, raw } = request
    const query = withoutQuery !== undefined && !raw.url?.includes('?') ? withoutQuery : reader.read(request)
    // Before the first load nobody knows the history. Whatever needs it fails then, or waits and checks it later.
    if (headers['x-coordinator-lineage'] !== undefined && live.loaded) checkLineage(live, request)
    if (body?.required === true && request.body === undefined)
      throw new CoordinatorError('COORD_BODY_NOT_JSON', {
        detail: 'The request has no body.',
        outcome: 'not_written',
      })
    return query as Output<O>
  }
}

/** A part of the path. @param name the name in the pattern of the route */
export function pathParameter({ params }: FastifyRequest, name: string): string {
  return (params as Readonly<Record<string, string>>)[name] as string
}
