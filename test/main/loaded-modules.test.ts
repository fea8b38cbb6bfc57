import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchFolder, serving } from './coordinator-process.ts'

/** Writes every module that a thread of the process loads into a file, one in a line. */
const recorder = (file: string) => `
  import { appendFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  import { isMainThread } from 'node:worker_threads'
  registerHooks({
    load(url, context, next) {
      appendFileSync(${JSON.stringify(file)}, (isMainThread ? 'main ' : 'thread ') + url + '\\n')
      return next(url, context)
    },
  })`

/** Starts a coordinator, stops it, and tells what it loaded: packages, and files of its own. */
async function loadedBy(databaseOf: (folder: string) => string) {
  await using folder = await scratchFolder()
  const file = join(folder.path, 'modules.txt')
  const hook = `data:text/javascript,${encodeURIComponent(recorder(file))}`
  await using coordinator = await serving({
    nodeArgs: ['--import', hook],
    env: { DATABASE_URL: databaseOf(folder.path) },
  })
  await coordinator.stop()
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const of = (thread: string) => {
    const urls = lines.filter((line) => line.startsWith(thread)).map((line) => line.slice(thread.length + 1))
    const packages = urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
    return { packages: [...new Set(packages)], own: urls.filter((url) => /\/src\/.*\.ts$/.test(url)) }
  }
  return { main: of('main'), thread: of('thread') }
}

/** What a start does not need. Each of these would add megabytes to the memory at rest. */
const needless =
  /^(@supabase|@fastify\/(ajv|fast-json)|age-encryption|@noble|ajv|aws4fetch|jose|pg|undici|yaml|prom-client)/

describe('coordinator serve', () => {
  it('loads in memory only the packages that every start needs', async () => {
    const { main, thread } = await loadedBy(() => 'memory:')
    expect(main.packages).toEqual(expect.arrayContaining(['fastify', 'pino', 'zod', 'commander', 'semver']))
    expect(main.packages.filter((name) => needless.test(name))).toEqual([])
    expect(
      main.own.filter((url) => /\/src\/(archive\/(format|restore)|cli\/(import|formats|backup))\//.test(url)),
    ).toEqual([])
    expect(thread.own).toEqual([])
  })

  it('loads on SQLite no further package, and none in the thread of the file', async () => {
    const { main, thread } = await loadedBy((folder) => `sqlite:${folder}/coordinator.db`)
    expect(main.packages.filter((name) => needless.test(name))).toEqual([])
    expect(thread.packages).toEqual([])
    expect(thread.own.length).toBeGreaterThan(10)
    expect(thread.own.length).toBeLessThan(60)
  })
})
