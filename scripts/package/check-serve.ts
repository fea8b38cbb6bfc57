import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { consumerEnv, run } from './run.ts'
import { post, serve } from './serve.ts'

/** `npx coordinator serve`, as somebody runs it who installed the package. */
export async function checkServe(folder: string): Promise<void> {
  const version = await run('npx', ['coordinator', '--version'], { cwd: folder })
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`coordinator --version printed ${version}`)
  const help = await run('npx', ['coordinator', 'help'], { cwd: folder })
  if (!/^ +serve /m.test(help)) throw new Error(`coordinator help printed ${help}`)
  await stopByNpx(folder)
  await register(folder, {}, 'memory')
  const database = { DATABASE_URL: 'sqlite:./coordinator.db' }
  const first = await register(folder, database, 'sqlite')
  const second = await register(folder, database, 'sqlite')
  if (first.revision !== second.revision || second.changed)
    throw new Error(`the second run on SQLite answered ${JSON.stringify(second)}`)
}

interface Registered {
  readonly revision: number
  readonly changed: boolean
  readonly storage: { readonly backend: string }
}

async function register(folder: string, env: NodeJS.ProcessEnv, backend: string): Promise<Registered> {
  const { child, ended, url } = await serve(folder, { env })
  const answer = await post(url)
  const registered = (await answer.json()) as Registered
  await openConsole(url)
  child.kill('SIGTERM')
  const code = await ended
  if (registered.storage?.backend !== backend)
    throw new Error(`${backend}: POST /register answered ${answer.status} ${JSON.stringify(registered)}`)
  if (code !== 0) throw new Error(`${backend}: SIGTERM ended it with ${code}`)
  return registered
}

/** The console is found in the package, and its page names files that are there. */
async function openConsole(url: string): Promise<void> {
  const page = await (await fetch(`${url}/console/services`)).text()
  const [, script = ''] = /src="([^"]+\.js)"/.exec(page) ?? []
  const { status, headers } = await fetch(new URL(script, `${url}/console/services`))
  if (status !== 200 || !headers.get('content-type')?.startsWith('text/javascript'))
    throw new Error(
      `the console names ${JSON.stringify(script)}, which is answered with ${status}: ${page.slice(0, 500)}`,
    )
}

/** npm does not hand signals on: the coordinator has to notice that it was left behind, and to free its port. */
async function stopByNpx(folder: string): Promise<void> {
  const { child, ended, url } = await serve(folder, { program: 'npx' })
  child.kill('SIGTERM')
  await ended
  const answers = await fetch(`${url}/health`).then(
    () => true,
    () => false,
  )
  if (answers) throw new Error('npx ended, and its coordinator did not')
}

/** Without the optional packages, a Supabase project cannot be used. The coordinator has to say what to run. */
export function checkWithoutOptional(folder: string): void {
  const { status, stderr } = spawnSync(join('node_modules', '.bin', 'coordinator'), ['serve'], {
    cwd: folder,
    env: consumerEnv({
      SUPABASE_URL: 'https://project.supabase.co',
      SUPABASE_SECRET_KEY: 'sb_secret_abcdefgh',
    }),
    encoding: 'utf8',
    timeout: 20_000,
  })
  const wanted = /^coordinator: [^\n]*`npm install --omit=dev --include=optional`[^\n]*\n$/
  if (status !== 78 || !wanted.test(stderr))
    throw new Error(`without the client of Supabase, it ended with ${status}, and printed:\n${stderr}`)
}
