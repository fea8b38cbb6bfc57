import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, plainEnv, runCoordinator, type Serving, serving } from '../../main/coordinator-process.ts'

let coordinator: Serving
const folder = mkdtempSync(join(tmpdir(), 'formats-'))
beforeAll(async () => {
  coordinator = await serving()
})
afterAll(async () => {
  await coordinator[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const run = (...words: string[]) =>
  runCoordinator(['import', ...words], { env: plainEnv({ COORDINATOR_URL: coordinator.url }) })

describe('coordinator import of files of other programs', () => {
  it('registers a compose file with the variables beside it, and names what it does not read', async () => {
    const file = join(folder, 'compose.yaml')
    writeFileSync(join(folder, '.env'), 'TAG=1.4.2\n')
    writeFileSync(
      file,
      `name: shop\nservices:\n  cart: {image: "cart:$TAG", env_file: more.env, depends_on: [db]}\n  db: {image: "postgres:15"}\n`,
    )
    const first = await run(file)
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('2 new') })
    expect(first.stderr).toContain('env_file more.env: it is not read')
    expect(await run(file)).toMatchObject({ code: 0, stdout: expect.stringContaining('2 unchanged') })
    const { body } = await ask(`${coordinator.url}/services?namespace=shop&name=cart`)
    expect(body).toMatchObject({ services: [{ version: '1.4.2', namespace: 'shop', dependencies: ['db'] }] })
  }, 120_000)

  it('asserts a catalog, so that the graph knows who owns what', async () => {
    expect(await run('examples/data/online-boutique.catalog-info.yaml')).toMatchObject({ code: 0 })
    const { body } = await ask(`${coordinator.url}/knowledge-graph/impact?of=group:shop-team`)
    expect(JSON.stringify(body)).toContain('"service:cartservice"')
  }, 120_000)

  it('fails for a template, and says what to do', async () => {
    const file = join(folder, 'chart.yaml')
    writeFileSync(file, 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n')
    const { code, stderr } = await run(file)
    expect(code).toBe(1)
    expect(stderr).toContain('helm template')
  }, 120_000)
})
