import { serving } from '../main/coordinator-process.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import type { PostgresServer } from '../support/postgres.ts'

export interface ThreeProcesses {
  readonly urls: readonly string[]
  /** Their lines to the database. */
  readonly lines: readonly FaultProxy[]
}

/** Runs three coordinators, each a process with a line of its own to the database. */
export async function withThreeProcesses(
  server: PostgresServer,
  body: (scope: ThreeProcesses) => Promise<void>,
): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const [urls, lines]: [string[], FaultProxy[]] = [[], []]
  for (let count = 0; count < 3; count += 1) {
    const line = scope.use(await FaultProxy.start(server.port))
    const url = new URL(server.url())
    url.port = String(line.port)
    const env = { DATABASE_URL: url.href, DATABASE_SCHEMA: 'consistency' }
    const coordinator = scope.use(await serving({ env }))
    urls.push(coordinator.url)
    lines.push(line)
  }
  await body({ urls, lines })
}
