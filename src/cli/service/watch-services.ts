import { setTimeout as pause } from 'node:timers/promises'
import { type CommandContext, isData, type OutputOptions, writeResult } from '../context/command-context.ts'
import { type CoordinatorClient, notCoordinator } from '../context/coordinator-client.ts'
import { mayPass } from '../context/passing-errors.ts'
import { printable } from '../terminal/text-table.ts'
import { type Service, serviceCount, servicesTable } from './render-service.ts'

export interface WatchOptions {
  /** The filters, and the limit of one page. */
  readonly query: URLSearchParams
  readonly options: OutputOptions
  /** How often the coordinator is asked. */
  readonly seconds: number
}

/** Clears a terminal, and goes to its first line. */
const clearScreen = '\u001b[H\u001b[2J\u001b[3J'

/**
 * Shows the first page of a list whenever it changes, for ever. It asks again and again instead of following the journal, because the health
 * of a service is not in the journal. A list that has not changed is not sent again.
 *
 * @throws the error of the first request, and later ones that do not pass by themselves
 */
export async function watchServices(
  client: CoordinatorClient,
  { query, options, seconds }: WatchOptions,
  context: CommandContext,
): Promise<void> {
  const { stdout, stderr } = context.terminal
  const clears = stdout.isTTY === true && !isData(options)
  let etag: string | undefined
  let failing = false
  for (let asked = 0; ; asked += 1) {
    if (asked > 0) await pause(seconds * 1_000)
    try {
      const answer = await client.get(`/services?${query}`, {
        accept: (status) => status < 300 || status === 304,
        ...(etag === undefined ? {} : { headers: { 'if-none-match': etag } }),
      })
      failing = false
      if (answer.status === 304) continue
      etag = answer.headers.get('etag') ?? undefined
      const { services, total, revision } = (answer.body ?? {}) as {
        readonly services?: readonly Service[]
        readonly total?: number
        readonly revision?: number
      }
      if (!Array.isArray(services)) throw notCoordinator(client.baseUrl, answer.status)
      const text = (wide: boolean) =>
        `${clears ? clearScreen : ''}${new Date().toISOString()}, revision ${revision}\n${services.length === 0 ? '' : servicesTable(services, wide)}${serviceCount(services.length, total ?? services.length)}${clears ? '' : '\n'}`
      writeResult(context, options, { value: { services, total, revision }, text })
    } catch (thrown) {
      if (asked === 0 || !mayPass(thrown)) throw thrown
      if (!failing) stderr.write(`${printable(`${thrown.detail} Trying again.`)}\n`)
      failing = true
    }
  }
}
