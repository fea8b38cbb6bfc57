import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { post, serve } from './serve.ts'

/** After the quick check, nobody sends anything for this long, in milliseconds. */
const restMs = 20_000

/**
 * Starts a coordinator, sends the quick check, and looks at its memory when it has rested. Linux only: others have no /proc.
 *
 * @returns its resident memory in MiB, by the name of the backend
 * @throws Error if one takes more than `maxMiB`
 */
export async function checkMemory(folder: string, maxMiB: number): Promise<Readonly<Record<string, number>>> {
  const databases = { memory: {}, sqlite: { DATABASE_URL: 'sqlite:./resting.db' } }
  const measured = await Promise.all(
    Object.entries(databases).map(async ([name, env]) => [name, await restingMiB(folder, env)] as const),
  )
  for (const [name, mebibytes] of measured)
    if (mebibytes > maxMiB)
      throw new Error(`${name}: ${mebibytes.toFixed(0)} MiB at rest, and ${maxMiB} are allowed`)
  return Object.fromEntries(measured)
}

async function restingMiB(folder: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { child, ended, url } = await serve(folder, { env, timeoutMs: restMs + 40_000 })
  await post(url)
  await sleep(restMs)
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  child.kill('SIGTERM')
  await ended
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) / 1_024
}
