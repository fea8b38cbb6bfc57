import { PassThrough } from 'node:stream'
import { clientOf } from '../context/command-context.ts'
import { namespaceOf } from '../context/namespace-option.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** A person waits for the completion. */
const timeoutMs = 1_000

/** Other names would need quotes, which each shell writes in another way. */
const plainName = /^[A-Za-z0-9_.-]+$/

/**
 * Names of services that begin with a text, from the first 1,000 services. Without an answer there are none: a message would end up in the
 * command line that the user is writing.
 */
export async function serviceNames(env: Terminal['env'], start: string): Promise<readonly string[]> {
  const silent = new PassThrough().resume()
  try {
    const namespace = namespaceOf({}, env)
    const filter = namespace === undefined ? '' : `&namespace=${namespace}`
    const client = clientOf({}, { env, stdin: silent, stdout: silent, stderr: silent })
    const { body } = await client.get(`/services?fields=serviceName&limit=1000${filter}`, { timeoutMs })
    const { services } = (body ?? {}) as { readonly services?: readonly { readonly serviceName?: unknown }[] }
    const names = (services ?? []).map(({ serviceName }) => String(serviceName))
    return [...new Set(names)].filter((name) => name.startsWith(start) && plainName.test(name))
  } catch {
    return []
  }
}
