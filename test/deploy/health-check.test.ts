import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { plainEnv, serving } from '../main/coordinator-process.ts'
import { freePort } from '../support/free-port.ts'
import { testFile } from '../support/tls-client.ts'

const execute = promisify(execFile)

/** How the health check of the container ends, and what it says. */
async function check(env: Record<string, string>): Promise<{ code: number; stderr: string }> {
  const running = execute(process.execPath, ['deploy/health-check.js'], { env: plainEnv(env) })
  return running.then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }) => ({ code, stderr }),
  )
}

describe('deploy/health-check.js', () => {
  it('ends with 0 while the coordinator answers, also where it needs a credential', async () => {
    const env = { AUTH: 'required', AUTH_ADMIN_TOKEN: 'a'.repeat(32) }
    await using coordinator = await serving({ env })
    const { port } = new URL(coordinator.url)
    for (const HOST of ['', '0.0.0.0', '127.0.0.1'])
      expect(await check({ HOST, PORT: port })).toEqual({ code: 0, stderr: '' })
  })

  it('asks by HTTPS where the coordinator speaks it, whatever names the certificate has', async () => {
    const env = { TLS_CERT_FILE: testFile('web.crt'), TLS_KEY_FILE: testFile('web.key') }
    await using coordinator = await serving({ env })
    const PORT = new URL(coordinator.url).port
    expect(await check({ ...env, PORT })).toEqual({ code: 0, stderr: '' })
    expect(await check({ PORT })).toMatchObject({ code: 1 })
  })

  it('ends with 1 if nothing listens, or the process hangs', async () => {
    const nowhere = await check({ PORT: String(await freePort()) })
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('ECONNREFUSED') })
    await using coordinator = await serving()
    coordinator.process.kill('SIGSTOP')
    const hanging = await check({ PORT: new URL(coordinator.url).port })
    coordinator.process.kill('SIGCONT')
    expect(hanging).toMatchObject({ code: 1, stderr: expect.stringContaining('no answer within 4 seconds') })
  })
})
