import type { FastifyRequest } from 'fastify'
import type { Operation } from './operation.ts'

/**
 * Whether a write request only asks what would happen. The gate, the time limit and the handler must judge alike, so all of them ask here.
 * It judges the parameter that the handler reads, and not the text of the URL, which can be encoded in many ways.
 */
export function isDryRun(
  { query }: Pick<FastifyRequest, 'query'>,
  { dryRunScope }: Pick<Operation, 'dryRunScope'>,
): boolean {
  return dryRunScope !== undefined && (query as Readonly<Record<string, unknown>>)['dryRun'] === 'true'
}
