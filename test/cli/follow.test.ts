import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ask,
  CoordinatorProcess,
  plainEnv,
  registration,
  runCoordinator,
  scratchFolder,
  serving,
} from '../main/coordinator-process.ts'
import { freePort } from '../support/free-port.ts'
import { itWith } from '../support/it-with.ts'

const escapeCharacter = '\u001b'

async function register(url: string, name: string, more: Record<string, unknown> = {}): Promise<string> {
  const { body } = await ask(`${url}/register`, 'POST', registration(name, more))
  return body.serviceId
}

/** Ends a command as Ctrl-C does. A shell shows the signal as the exit code 130. */
async function interrupt(command: CoordinatorProcess): Promise<NodeJS.Signals | number | null> {
  command.kill('SIGINT')
  const { code, signal } = await command.ended
  return signal ?? code
}

describe('coordinator changes', () => {
  it('shows the last revisions, those after one, and those about one name', async () => {
    await using coordinator = await serving()
    const env = { COORDINATOR_URL: coordinator.url }
    const id = await register(coordinator.url, 'a')
    for (const name of ['b', 'c']) await register(coordinator.url, name)
    await ask(`${coordinator.url}/services/${id}`, 'DELETE')
    const changes = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await runCoordinator(['changes', ...args], { env })
      expect([code, stderr]).toEqual([0, ''])
      return stdout
    }
    const all = await changes()
    expect(all).toMatch(
      /^REVISION {2}TIME +WHAT\n1 +\S+ {2}service a 1\.0\.0 registered, by http:127\.0\.0\.1\n/,
    )
    expect(all).toContain(`service ${id} removed, by`)
    const revisions = async (...args: readonly string[]) =>
      (await changes('-o', 'json', ...args))
        .trimEnd()
        .split('\n')
        .flatMap((line) => (line === '' ? [] : JSON.parse(line).revision))
    expect(await revisions()).toEqual([1, 2, 3, 4])
    expect(await revisions('--last', '2')).toEqual([3, 4])
    expect(await revisions('--last', '0')).toEqual([])
    expect(await revisions('--after', '1', '--name', 'c')).toEqual([3, 4])
    expect(await revisions('--kind', 'node')).toEqual([])
    expect((await changes('-o', 'yaml', '--last', '1')).startsWith('---\nrevision: 4\n')).toBe(true)
    expect(await changes('--kind', 'node')).toBe('0 changes in the last 20 revisions\n')
    expect(await changes('--kind', 'node', '--last', '1')).toBe('0 changes in the last 1 revision\n')
    expect(await changes('--kind', 'node', '--after', '0')).toBe('0 changes\n')
    expect(await runCoordinator(['changes', '--after', '99'], { env })).toMatchObject({ code: 1, stdout: '' })
    expect(await runCoordinator(['changes', '--after', 'x'], { env })).toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringContaining('a position as `coordinator changes -o json` gives it'),
    })
    expect((await runCoordinator(['changes', '--last', 'x'], { env })).code).toBe(2)
  })

  it('--follow goes on after a restart of the coordinator, without a gap and without a repetition, until Ctrl-C', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db`, PORT: String(await freePort()) }
    await using first = await serving({ env })
    await register(first.url, 'before')
    const following = new CoordinatorProcess(['changes', '--follow', '-o', 'json'], {
      env: { COORDINATOR_URL: first.url },
      timeoutMs: 120_000,
    })
    try {
      await following.wrote(/"before"/)
      await register(first.url, 'live')
      await following.wrote(/"live"/)
      await first.stop()
      await following.wrote(/Trying again\.\n/)
      await using second = await serving({ env })
      await register(second.url, 'after')
      await following.wrote(/"after"/)
      expect(await interrupt(following)).toBe('SIGINT')
      const { stdout, stderr } = await following.ended
      const lines = stdout.trimEnd().split('\n')
      expect(lines.map((line) => JSON.parse(line).revision)).toEqual([1, 2, 3])
      expect(stderr.match(/Trying again/g)).toHaveLength(1)
    } finally {
      following.kill('SIGKILL')
    }
  })

  it('--follow ends where the first connection fails, or the history was replaced', async () => {
    const nowhere = await runCoordinator(['changes', '--follow'], {
      env: { COORDINATOR_URL: 'http://127.0.0.1:9' },
    })
    expect([nowhere.code, nowhere.stdout]).toEqual([69, ''])
    await using coordinator = await serving()
    const env = { COORDINATOR_URL: coordinator.url }
    const position = '00000000-0000-4000-8000-000000000000:1:00000000-0000-4000-8000-000000000000'
    const replaced = await runCoordinator(['changes', '--follow', '--after', position], { env })
    expect(replaced.code).toBe(1)
    expect(replaced.stderr).toMatch(/\[COORD_LINEAGE_CHANGED\]\n$/)
  })

  itWith('bash')('--follow ends in silence where its reader stops reading', async () => {
    await using coordinator = await serving()
    await register(coordinator.url, 'one')
    const script = `"$0" bin/coordinator.js changes --follow | head -n 1; echo "\${PIPESTATUS[0]}"`
    const shell = spawn('bash', ['-c', script, process.execPath], {
      cwd: resolve('.'),
      env: plainEnv({ COORDINATOR_URL: coordinator.url }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    shell.stdout.on('data', (chunk) => (text += chunk))
    shell.stderr.on('data', (chunk) => (text += chunk))
    const closed = once(shell, 'close')
    while (shell.exitCode === null && !text.endsWith('0\n'))
      await Promise.race([closed, register(coordinator.url, 'two', { tags: [String(Math.random())] })])
    await closed
    expect(text).toMatch(/^REVISION {2}TIME +WHAT\n0\n$/)
  })
})

describe('coordinator services --watch', () => {
  it('shows the list again when it changes, health included, without control characters in a pipe', async () => {
    await using coordinator = await serving()
    const id = await register(coordinator.url, 'a')
    const watching = new CoordinatorProcess(['services', '--watch', '0.1'], {
      env: { COORDINATOR_URL: coordinator.url },
    })
    try {
      await watching.wrote(/^a +1\.0\.0 +unknown .*\n1 service\n/m)
      await ask(`${coordinator.url}/services/${id}/heartbeat`, 'PUT', { status: 'up' })
      await watching.wrote(/^a +1\.0\.0 +up /m)
      await register(coordinator.url, 'b')
      await watching.wrote(/^b +1\.0\.0 .*\n2 services\n/m)
      expect(await interrupt(watching)).toBe('SIGINT')
      const { stdout } = await watching.ended
      expect(stdout).not.toContain(escapeCharacter)
      expect(stdout.match(/revision/g)?.length).toBe(3)
    } finally {
      watching.kill('SIGKILL')
    }
  })
})

describe('coordinator heartbeat --every', () => {
  it('goes on while the coordinator is away, and ends with 1 when the service is gone', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db`, PORT: String(await freePort()) }
    await using first = await serving({ env })
    const id = await register(first.url, 'a', { ttlSeconds: 1 })
    const beating = new CoordinatorProcess(['heartbeat', 'a', '--every', '1'], {
      env: { COORDINATOR_URL: first.url },
      timeoutMs: 120_000,
    })
    try {
      await beating.wrote(/^warning: the service expires between heartbeats, because its ttlSeconds is 1\.$/m)
      await first.stop('SIGKILL')
      await beating.wrote(/Trying again\.\n/)
      await using second = await serving({ env })
      await beating.wrote(/heartbeats arrive again/)
      await ask(`${second.url}/services/${id}`, 'DELETE')
      const { code, stderr } = await beating.ended
      expect(code).toBe(1)
      expect(stderr).toMatch(/\[COORD_SERVICE_NOT_FOUND\]\n$/)
    } finally {
      beating.kill('SIGKILL')
    }
  })
})
