import { FunctionInspector } from '../sql-functions/inspector.ts'
import type { SqlFunctions } from '../sql-functions/sql-functions.ts'
import type { Inspector } from '../store.ts'
import type { ReplicaReads } from './replica-reads.ts'

/** Facts about the primary and its replicas. */
export class PostgresInspector extends FunctionInspector {
  readonly inspectReplicas?: NonNullable<Inspector['inspectReplicas']>

  /** @param reads absent if there are no replicas */
  constructor(functions: SqlFunctions, schema: string, reads: ReplicaReads | undefined) {
    super(functions, schema)
    if (reads !== undefined) this.inspectReplicas = () => reads.inspect()
  }
}
