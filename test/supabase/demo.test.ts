import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { plainEnv } from '../main/coordinator-process.ts'

/** Runs the demo in a process group of its own, as a terminal does. */
function startDemo(
  args: readonly string[],
  under: (command: string) => readonly string[] = (command) => ['/bin/sh', '-c', `exec ${command}`],
) {
  const [program = '', ...rest] = under(
    [`'${process.execPath}'`, 'scripts/demo-supabase.ts', ...args].join(' '),
  )
  const child = spawn(program, rest, {
    env: plainEnv({ PORT: '0' }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const add = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  return { child, output: () => output, ended: once(child, 'close') }
}

describe('npm run demo:supabase', () => {
  it('checks itself: registers a system, restarts, and finds all of it, by HTTP and by SQL', async () => {
    const { output, ended } = startDemo(['--once'])
    const [code] = await ended
    expect(output()).toContain('28 of 28 services after a restart, 28 rows in coordinator.services')
    expect(code).toBe(0)
  }, 60_000)

  it('serves what it prints, until Ctrl-C ends everything that it started', async () => {
    const { child, output, ended } = startDemo([])
    await expect.poll(output, { timeout: 40_000 }).toContain('Try')
    const urlOf = (name: string) => new RegExp(`${name} +(http://\\S+)`).exec(output())?.[1] ?? ''
    const keyOf = (name: string) => new RegExp(`${name} +(sb_\\S+)`).exec(output())?.[1] ?? ''
    const services = await fetch(`${urlOf('coordinator')}/services?tag=demo&limit=3`)
    expect(await services.json()).toMatchObject({ total: 28 })
    const call = (key: string) =>
      fetch(`${urlOf('Data API')}/rest/v1/rpc/coordinator_head`, {
        method: 'POST',
        headers: { apikey: key, 'content-type': 'application/json' },
        body: '{"p":{}}',
      })
    expect((await call(keyOf('secret key'))).status).toBe(200)
    expect((await call(keyOf('public key'))).status).toBe(401)
    process.kill(-(child.pid as number), 'SIGINT')
    const [code] = await ended
    expect(code).toBe(0)
    for (const name of ['coordinator', 'Data API']) await expect(fetch(urlOf(name))).rejects.toThrow()
    // The group is empty: there is nobody left to send a signal to.
    expect(() => process.kill(-(child.pid as number), 0)).toThrow('ESRCH')
  }, 60_000)

  it('ends by itself where npm was ended, which hands no signal on', async () => {
    // A shell with a second command stays the parent, as npm does.
    const { child, output, ended } = startDemo([], (command) => ['/bin/sh', '-c', `${command}; true`])
    await expect.poll(output, { timeout: 40_000 }).toContain('Try')
    child.kill('SIGTERM')
    await ended
    expect(output()).toContain('stopping')
    for (const url of output().matchAll(/(?:coordinator|Data API) +(http:\S+)/g))
      await expect(fetch(url[1] as string)).rejects.toThrow()
  }, 60_000)
})
