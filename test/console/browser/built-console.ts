import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { buildConsole } from '../../../scripts/build-console.ts'

let building: Promise<string> | undefined

/** The console of this checkout, built once for each test file: a test must not depend on a build that somebody forgot to repeat. */
export function builtConsole(): Promise<string> {
  building ??= build()
  return building
}

async function build(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coordinator-built-console-'))
  await buildConsole(folder)
  return folder
}

afterAll(async () => {
  if (building !== undefined) await rm(await building, { recursive: true, force: true })
})
