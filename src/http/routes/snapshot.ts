import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import type { View } from '../../live/view/view.ts'
import type { StoredRecord } from '../../records/record.ts'
import { NDJSON_TYPE } from '../reading/accepts.ts'
import { freshnessQuery } from '../reading/freshness.ts'
import type { Operation } from '../reading/operation.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { readRoute } from '../routing/route.ts'

/** The size of a chunk, in UTF-16 code units. */
const chunkSize = 65_536

/** `/snapshot`: everything, at one revision. */
export const snapshotRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live } = context
  app.get(
    '/snapshot',
    readRoute(context, operation, () => ({
      lines: () => ({ chunks: snapshotChunks(live.view), revision: live.view.revision }),
    })),
  )
  done()
}

/** Keeps the records of this moment. Records are replaced and never change, so later commits do not show. */
function snapshotChunks(view: View): AsyncGenerator<string> {
  const { position, at } = view
  const records = [...view.records.kinds].sort().flatMap((kind) => [...view.records.of(kind)])
  const first = JSON.stringify({ position, at: new Date(at).toISOString(), records: records.length })
  return chunksOf(first, records)
}

async function* chunksOf(first: string, records: readonly StoredRecord[]): AsyncGenerator<string> {
  let chunk = `${first}\n`
  for (const record of records) {
    chunk += `${lineOf(record)}\n`
    if (chunk.length < chunkSize) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}

function lineOf({ kind, id, revision, createdAt, updatedAt, data }: StoredRecord): string {
  return `{"kind":${JSON.stringify(kind)},"id":${JSON.stringify(id)},"revision":${revision},"createdAt":"${new Date(createdAt).toISOString()}","updatedAt":"${new Date(updatedAt).toISOString()}","data":${data}}`
}

const operation = {
  chapter: 'registry',
  scope: 'read',
  summary: 'All records at one revision',
  description:
    'JSON lines. The first is `{"position": {"lineage", "revision", "digest"}, "at", "records"}`, where `records` is the number of lines that follow. Each of those is `{"kind", "id", "revision", "createdAt", "updatedAt", "data"}`. Later commits do not appear.',
  query: z.object(freshnessQuery),
  state: true,
  errors: ['COORD_STREAMS_BUSY', 'COORD_RATE_LIMITED', 'COORD_STREAMS_FULL'],
  answers: { 200: { description: 'The snapshot.', content: { [NDJSON_TYPE]: undefined } } },
} as const satisfies Operation
