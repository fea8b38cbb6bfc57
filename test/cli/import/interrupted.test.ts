import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ask,
  CoordinatorProcess,
  plainEnv,
  registration,
  scratchFolder,
  serving,
} from '../../main/coordinator-process.ts'
import { json, withAnswers } from '../with-answers.ts'
import { linesFile, namesAt, runAt } from './import-into.ts'

const services = (count: number) => Array.from({ length: count }, (_, at) => registration(`s${at}`))

const accepted = (count: number) => ({
  success: true,
  results: Array.from({ length: count }, (_, at) => ({
    ...{ success: true, serviceId: `${at}`, created: true, changed: true, warnings: [] },
  })),
})

describe('coordinator import: Ctrl-C', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s: waits for the answer on its way, says how far it came and that it can be run again, and ends with %i',
    async (signal, code) => {
      await using folder = await scratchFolder()
      const file = await linesFile(folder.path, 'many.jsonl', services(1_600))
      const waiting = Promise.withResolvers<ServerResponse>()
      let requests = 0
      await withAnswers(
        (request, response) => {
          request.resume().on('end', () => {
            requests += 1
            if (requests === 1) json(response, 200, accepted(500))
            else waiting.resolve(response)
          })
        },
        async (url) => {
          const command = new CoordinatorProcess(['import', '--url', url, file])
          const response = await waiting.promise
          command.kill(signal)
          await command.wrote(/Stopping/)
          json(response, 200, accepted(500))
          expect(await command.ended).toMatchObject({
            ...{ code, signal: null },
            stdout: '1000 services: 1000 new, 0 changed, 0 unchanged, 0 failed\n',
            stderr: expect.stringMatching(
              /^Stopping after .*\nInterrupted after 1000 items\. .*Run the same command again to go on.*\n$/,
            ),
          })
          expect(requests).toBe(2)
        },
      )
    },
  )

  it('does not wait for an answer that does not come, and has what it knows in its JSON', async () => {
    await using folder = await scratchFolder()
    const file = await linesFile(folder.path, 'many.jsonl', services(10))
    const asked = Promise.withResolvers<void>()
    await withAnswers(
      () => asked.resolve(),
      async (url) => {
        const command = new CoordinatorProcess(['import', '--json', '--url', url, file])
        await asked.promise
        command.kill('SIGINT')
        const { code, stdout } = await command.ended
        expect({ code, result: JSON.parse(stdout) }).toMatchObject({
          code: 130,
          result: { total: 0, interrupted: 'SIGINT' },
        })
      },
    )
  })

  it('while it waits to try again, and while it reads standard input: ends, and a second run finishes the work', async () => {
    await using coordinator = await serving()
    const lines = services(2_001).map((service) => `${JSON.stringify(service)}\n`)
    const child = spawn(process.execPath, ['bin/coordinator.js', 'import', '-'], {
      env: plainEnv({ COORDINATOR_URL: coordinator.url }),
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    try {
      // The end of the input never comes.
      child.stdin.write(lines.join(''))
      await expect
        .poll(async () => (await ask(`${coordinator.url}/services?limit=1`)).body.total)
        .toBeGreaterThanOrEqual(1_500)
      child.kill('SIGINT')
      expect(await once(child, 'exit')).toEqual([130, null])
    } finally {
      child.kill('SIGKILL')
    }
    const again = await runAt(coordinator, ['import', '-'], lines.join(''))
    expect(again.stdout).toMatch(/^2001 services: \d+ new, 0 changed, [12]\d{3} unchanged, 0 failed\n$/)
    await using folder = await scratchFolder()
    const file = await linesFile(folder.path, 'few.jsonl', services(1))
    const unavailable = { success: false, code: 'COORD_STORE_UNAVAILABLE', detail: 'gone', retryable: true }
    await withAnswers(
      (_request, response) => json(response, 503, unavailable),
      async (url) => {
        const command = new CoordinatorProcess(['import', '--url', url, file])
        await command.wrote(/waiting/)
        command.kill('SIGTERM')
        expect(await command.ended).toMatchObject({ code: 143, signal: null })
      },
    )
    expect(await namesAt(coordinator)).toHaveLength(1_000)
  })

  it('of --dry-run: says that nothing was written', async () => {
    await using folder = await scratchFolder()
    const file = await linesFile(folder.path, 'few.jsonl', services(3))
    const asked = Promise.withResolvers<void>()
    await withAnswers(
      () => asked.resolve(),
      async (url) => {
        const command = new CoordinatorProcess(['import', '--dry-run', '--url', url, file])
        await asked.promise
        command.kill('SIGTERM')
        expect(await command.ended).toMatchObject({
          code: 143,
          stderr: 'Interrupted. Nothing was written.\n',
        })
      },
    )
  })
})

describe('coordinator export: Ctrl-C', () => {
  it('keeps the old file, leaves no part of a new one, and ends with 130', async () => {
    await using folder = await scratchFolder()
    const path = join(folder.path, 'records.jsonl')
    await writeFile(path, 'the old one')
    const asked = Promise.withResolvers<void>()
    await withAnswers(
      (_request, response) => {
        response.write('{"position":{"lineage":"x","revision":1},"records":3}\n')
        asked.resolve()
      },
      async (url) => {
        const command = new CoordinatorProcess(['export', '--url', url, '--file', path])
        await asked.promise
        command.kill('SIGINT')
        expect(await command.ended).toMatchObject({
          code: 130,
          stderr: 'Interrupted: nothing was written.\n',
        })
      },
    )
    expect(await readdir(folder.path)).toEqual(['records.jsonl'])
    expect(await readFile(path, 'utf8')).toBe('the old one')
  })
})
