import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServerCommand } from './server-process.ts'

const entry = fileURLToPath(new URL('../bin/coordinator.js', import.meta.url))

/** The command that starts the product. `env` chooses its backend; `checkout` another version of it. */
export function coordinator(
  env: Readonly<Record<string, string>> = {},
  { checkout }: { checkout?: string | undefined } = {},
): ServerCommand {
  return {
    command: [
      process.execPath,
      checkout === undefined ? entry : join(checkout, 'bin/coordinator.js'),
      'serve',
    ],
    env: { DATABASE_URL: '', SUPABASE_URL: '', ...env },
    readyPath: '/health/ready',
    readyTimeoutMs: 60_000,
  }
}

/** Registers services `from` to `to` in batches, as every client may. */
export async function registerMany(
  port: number,
  bodies: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const ids: string[] = []
  for (let start = 0; start < bodies.length; start += 500) {
    const response = await fetch(`http://127.0.0.1:${port}/register/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: `[${bodies.slice(start, start + 500).join(',')}]`,
    })
    if (!response.ok) throw new Error(`Registering failed with ${response.status}: ${await response.text()}`)
    const answer = (await response.json()) as { results: { serviceId: string }[] }
    ids.push(...answer.results.map(({ serviceId }) => serviceId))
  }
  return ids
}
