import { closeSync, openSync } from 'node:fs'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { ask, CoordinatorProcess, registration, runCoordinator, serving } from './coordinator-process.ts'

/** Runs a test with a file on a disk that is always full. */
async function onFullDisk(run: (fd: number) => Promise<void>): Promise<void> {
  const fd = openSync('/dev/full', 'w')
  try {
    await run(fd)
  } finally {
    closeSync(fd)
  }
}

it('a command whose output cannot be written ends with 74 and one line', () =>
  onFullDisk(async (stdout) => {
    await using coordinator = await serving()
    const env = { COORDINATOR_URL: coordinator.url }
    for (const args of [['services'], ['status', '--json'], ['graph', 'export'], ['--help']]) {
      const { code, stderr } = await runCoordinator(args, { env, into: { stdout } })
      expect(stderr).toMatch(
        /^coordinator: The output cannot be written \(ENOSPC\)\. [^\n]+ \[COORD_OUTPUT_UNWRITABLE\]\n$/,
      )
      expect(code).toBe(74)
    }
  }))

it('a command that can tell nobody what is wrong keeps its exit code', () =>
  onFullDisk(async (stderr) => {
    expect((await runCoordinator(['unknown'], { into: { stderr } })).code).toBe(2)
    expect((await runCoordinator(['serve'], { env: { PORT: 'http' }, into: { stderr } })).code).toBe(78)
  }))

it('a coordinator whose log cannot be written says so once, serves, and stops in order', () =>
  onFullDisk(async (stdout) => {
    const port = await freePort()
    const env = { PORT: String(port), LOG_FORMAT: 'json', LOG_REQUESTS: 'true' }
    const coordinator = new CoordinatorProcess(['serve'], { env, into: { stdout } })
    const url = `http://127.0.0.1:${port}`
    await expect
      .poll(() =>
        fetch(`${url}/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      )
      .toBe(true)
    for (const name of ['a', 'b', 'c'])
      expect((await ask(`${url}/register`, 'POST', registration(name))).status).toBe(201)
    coordinator.kill('SIGTERM')
    const { code, stderr } = await coordinator.ended
    expect(stderr).toMatch(
      /^coordinator: The coordinator serves without its log[^\n]+ \[COORD_OUTPUT_UNWRITABLE\]\n$/,
    )
    expect(code).toBe(0)
  }))
