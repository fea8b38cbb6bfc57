import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ask, type Serving } from '../../main/coordinator-process.ts'
import { type Ran, runInProcess } from '../run-in-process.ts'

/** Runs a command against a coordinator, in this process. */
export function runAt({ url }: Pick<Serving, 'url'>, args: readonly string[], input = ''): Promise<Ran> {
  return runInProcess(args, { env: { COORDINATOR_URL: url }, input })
}

/** Writes JSON Lines. @returns the path */
export async function linesFile(folder: string, name: string, values: readonly unknown[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, values.map((value) => `${JSON.stringify(value)}\n`).join(''))
  return path
}

/** What an import brings over: every record, without its revision and its times. */
export async function recordsOf({ url }: Pick<Serving, 'url'>): Promise<readonly unknown[]> {
  const text = await (await fetch(`${url}/snapshot`)).text()
  const lines = text.trim().split('\n').slice(1)
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map(({ kind, id, data }) => ({ kind, id, data }))
    .sort((left, right) => (`${left.kind} ${left.id}` < `${right.kind} ${right.id}` ? -1 : 1))
}

/** Names of the registered services, sorted. */
export async function namesAt({ url }: Pick<Serving, 'url'>): Promise<readonly string[]> {
  const { body } = await ask(`${url}/services?limit=1000`)
  return body.services.map(({ serviceName }: { serviceName: string }) => serviceName).sort()
}
