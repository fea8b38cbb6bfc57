import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { askSecurely, testFile } from '../support/tls-client.ts'
import { registration, runCoordinator, scratchFolder, serving } from './coordinator-process.ts'

it('coordinator serve with TLS serves HTTPS, and takes a renewed certificate while it runs', async () => {
  await using folder = await scratchFolder()
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
  await copyFile(testFile('web.crt'), TLS_CERT_FILE)
  await copyFile(testFile('web.key'), TLS_KEY_FILE)
  await using coordinator = await serving({ env: { TLS_CERT_FILE, TLS_KEY_FILE } })
  expect(coordinator.url).toMatch(/^https:\/\/127\.0\.0\.1:/)
  const json = registration('cart')
  const { status, certificate } = await askSecurely(`${coordinator.url}/register`, { method: 'POST', json })
  expect(status).toBe(201)
  for (const end of ['crt', 'key']) {
    await copyFile(testFile(`renewed.${end}`), join(folder.path, 'new'))
    await rename(join(folder.path, 'new'), join(folder.path, `tls.${end}`))
  }
  await expect
    .poll(async () => (await askSecurely(`${coordinator.url}/health/live`)).certificate)
    .not.toBe(certificate)
  const services = await runCoordinator(['services'], {
    env: { COORDINATOR_URL: coordinator.url, NODE_EXTRA_CA_CERTS: testFile('web-authority.crt') },
  })
  expect(services).toMatchObject({ code: 0, stderr: '' })
  expect(services.stdout).toContain('cart')
  expect((await coordinator.stop()).code).toBe(0)
})

it('coordinator serve with a key that does not belong to the certificate ends with 78 and one line', async () => {
  const env = { PORT: '0', TLS_CERT_FILE: testFile('web.crt'), TLS_KEY_FILE: testFile('renewed.key') }
  const { code, stderr } = await runCoordinator(['serve'], { env })
  expect(code).toBe(78)
  expect(stderr).toMatch(/^coordinator: [^\n]+ \[COORD_TLS_FILE\]\n$/)
  expect(stderr).toContain('renewed.key')
})
