import type { z } from 'zod'
import type { criticalSchema } from '../../../../../src/http/answering/graph-schemas.ts'
import { api } from '../../../api/client.ts'
import type { Moment } from '../data/read-graph.ts'

/** The node that most others need; `undefined` in an empty graph. */
export async function mostNeeded(moment: Moment, signal: AbortSignal) {
  const query = { ...moment, limit: 1 }
  const answer = await api.get<z.infer<typeof criticalSchema>>('/knowledge-graph/critical', { query, signal })
  return answer.mostDependedOn[0]
}
