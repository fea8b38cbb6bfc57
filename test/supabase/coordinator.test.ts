import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  CoordinatorProcess,
  type Env,
  registration,
  runCoordinator,
  serving,
} from '../main/coordinator-process.ts'
import { expectQuickCheck } from '../main/quick-check.ts'
import { DataApiStub } from '../support/data-api-stub.ts'
import { dearness } from '../support/dearness.ts'
import { FaultProxy, httpPage } from '../support/fault-proxy.ts'
import { SupabaseProject } from '../support/supabase.ts'

let project: SupabaseProject

beforeAll(async () => {
  project = await SupabaseProject.start({ schemas: ['coordinator', 'other'] })
})
afterAll(() => project.dispose())

const variables = (more: Env = {}): Env => ({
  SUPABASE_URL: project.api.url,
  SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey,
  ...more,
})

describe('a coordinator on Supabase', () => {
  it('answers the quick check with 201, finds it again after a restart, and shows it to SQL', async () => {
    const { serviceId, database } = await expectQuickCheck('supabase', variables())
    expect(database).toMatchObject({
      server: { serverVersion: expect.stringMatching(/^18/), details: { key: 'secret key (sb_secret_...)' } },
      latency: { commit: { count: 1 } },
      pool: { writer: { max: 1 }, follower: { max: 1 }, reader: { max: 2 } },
    })
    const rows = await project.server.query(
      'select service_id, service_name, endpoint from coordinator.services',
    )
    expect(rows).toEqual([{ service_id: serviceId, service_name: 'test', endpoint: 'http://test:3000' }])
  })

  it('follows another coordinator, and a change by hand within 3 seconds', async () => {
    const env = variables({ DATABASE_SCHEMA: 'other' })
    await using one = await serving({ env })
    await using two = await serving({ env })
    const { body } = await ask(`${one.url}/register`, 'POST', registration('followed'))
    const followed = await ask(`${two.url}/services/${body.serviceId}?minRevision=${body.revision}`)
    expect(followed.body.service).toMatchObject({ serviceName: 'followed' })
    const waits: number[] = []
    for (const description of ['once', 'twice', 'by hand']) {
      await project.server.query(
        `update other.records set data = data || '{"description": "${description}"}' where id = '${body.serviceId}'`,
      )
      const changedAt = performance.now()
      for (const { url } of [one, two])
        await expect
          .poll(async () => (await ask(`${url}/services/${body.serviceId}`)).body.service.description, {
            interval: 20,
          })
          .toBe(description)
      waits.push(performance.now() - changedAt)
    }
    // Not each of them: a busy machine may have no time at one moment.
    expect(waits.toSorted((a, b) => a - b)[1]).toBeLessThan(3_000 * dearness())
    const malformed = `insert into other.records (kind, id, data) values ('service', 'malformed', '{"serviceName": 5}')`
    await project.server.query(malformed)
    // What is no service is listed for people, not served, and stops nothing.
    await expect
      .poll(async () => (await ask(`${one.url}/database`)).body.refusedRecords)
      .toMatchObject([{ kind: 'service', id: 'malformed' }])
    expect((await ask(`${one.url}/services`)).body.total).toBe(1)
  })

  it('is used with the alias SUPABASE_SECRET_KEY too', async () => {
    const env = { SUPABASE_URL: project.api.url, SUPABASE_SECRET_KEY: project.keys.secretKey }
    await using coordinator = await serving({ env: { ...env, DATABASE_SCHEMA: 'other' } })
    expect((await ask(`${coordinator.url}/health`)).body.storage.backend).toBe('supabase')
  })
})

describe('the start', () => {
  const refusals: Readonly<Record<string, [env: () => Env, text: RegExp]>> = {
    'a URL without a key': [() => ({ SUPABASE_URL: project.api.url }), /set SUPABASE_SERVICE_ROLE_KEY/],
    'a key without a URL': [
      () => ({ SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey }),
      /set SUPABASE_URL to https/,
    ],
    'a URL that is none': [() => variables({ SUPABASE_URL: 'my-project' }), /SUPABASE_URL is not a URL/],
    'a wrong key': [
      () => variables({ SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_wrong_wrong_wrong' }),
      /Copy the key into SUPABASE_SERVICE_ROLE_KEY again/,
    ],
    'a schema that is not there': [
      () => variables({ DATABASE_SCHEMA: 'missing' }),
      /Run once `DATABASE_SCHEMA=missing DATABASE_URL='postgres:\/\/\.\.\.' coordinator migrate`/,
    ],
    'only the public key, without leave': [
      () => ({ SUPABASE_URL: project.api.url, SUPABASE_ANON_KEY: project.keys.publishableKey }),
      /Put the secret key of the project into SUPABASE_SERVICE_ROLE_KEY/,
    ],
  }

  it.concurrent.each(Object.entries(refusals))(
    'ends with exit 78 and one line: %s',
    async (_, [env, text]) => {
      const { code, stderr, stdout } = await runCoordinator(['serve'], {
        env: { PORT: '0', ...env() },
        timeoutMs: 50_000,
      })
      expect(code).toBe(78)
      const line = stderr.split('\n').filter((part) => part.startsWith('coordinator: '))
      expect(line).toHaveLength(1)
      expect(line[0]).toMatch(text)
      for (const key of [project.keys.secretKey, project.keys.publishableKey, 'sb_secret_wrong'])
        expect(stdout + stderr).not.toContain(key)
    },
  )

  /** Starts where the project does not answer properly, waits for that to be known, mends it, and waits until all is well. */
  async function connecting(proxy: FaultProxy, code: string, repair: RegExp): Promise<void> {
    const env = variables({
      SUPABASE_URL: proxy.url,
      DATABASE_SCHEMA: 'other',
      DATABASE_STATEMENT_TIMEOUT_MS: '300',
      PORT: '0',
      LOG_FORMAT: 'json',
    })
    const coordinator = new CoordinatorProcess(['serve'], { env })
    try {
      const [, url = ''] = await coordinator.wrote(/listening on (http:[^"\s]+)/)
      await expect.poll(async () => (await ask(`${url}/database`)).body.lastErrors[0]?.code).toBe(code)
      expect((await ask(`${url}/health`)).body).toMatchObject({
        status: 'starting',
        storage: { backend: 'supabase', status: 'connecting', code, repair: expect.stringMatching(repair) },
      })
      const warning = coordinator.output.split('\n').find((line) => line.includes('not there yet')) ?? ''
      expect(JSON.parse(warning)).toMatchObject({ code, repair: expect.stringMatching(repair) })
      expect(await ask(`${url}/register`, 'POST', registration('early'))).toMatchObject({
        status: 503,
        body: { code: 'COORD_NOT_LOADED', outcome: 'not_written' },
      })
      expect((await ask(`${url}/health/ready`)).status).toBe(503)
      proxy.heal()
      await proxy.listen()
      await coordinator.wrote(/the records are loaded/)
      expect((await ask(`${url}/register`, 'POST', registration('late'))).body.storage.durable).toBe(true)
    } finally {
      coordinator.kill('SIGTERM')
      await coordinator.ended
    }
  }

  it('goes on connecting to a project that hangs, as a paused one does', async () => {
    await using proxy = await FaultProxy.start(project.api.port)
    proxy.add({ fault: { do: 'hang' } })
    await connecting(proxy, 'COORD_STORE_TIMEOUT', /paused Supabase project hangs/)
  })

  it('goes on connecting to a project behind a gateway that shows a page', async () => {
    await using proxy = await FaultProxy.start(project.api.port)
    proxy.add({ fault: { do: 'answer', bytes: httpPage(522) } })
    await connecting(proxy, 'COORD_STORE_GATEWAY', /status\.supabase\.com/)
  })

  it('goes on connecting where nothing listens', async () => {
    await using proxy = await FaultProxy.start(project.api.port)
    await proxy.refuse()
    await connecting(proxy, 'COORD_STORE_REFUSED', /host and port in SUPABASE_URL/)
  })
})

describe('secrets', () => {
  it('are in no log line at level trace, no answer, no metric and no argument, through good and bad moments', async () => {
    const canary = 'sb_secret_Kanarienvogel'
    await using stub = await DataApiStub.start()
    await using proxy = await FaultProxy.start(project.api.port)
    // In front of the real project, with the key that it knows.
    await using coordinator = await serving({
      env: variables({
        SUPABASE_URL: proxy.url,
        LOG_LEVEL: 'trace',
        LOG_REQUESTS: 'true',
        COMMIT_TIMEOUT_MS: '300',
      }),
    })
    const texts: string[] = []
    for (const bytes of [httpPage(502), httpPage(401)]) {
      proxy.add({ fault: { do: 'answer', bytes } })
      texts.push(
        JSON.stringify(await ask(`${coordinator.url}/register`, 'POST', registration(`s${bytes.length}`))),
      )
      for (const path of ['/health', '/database', '/metrics', '/services'])
        texts.push(JSON.stringify(await ask(coordinator.url + path)))
      proxy.heal()
    }
    await coordinator.stop()
    const everything = texts.join('') + coordinator.process.output
    expect(everything).not.toContain(project.keys.secretKey)
    expect(everything).toContain('COORD_STORE_')

    // And one that refuses a key that is wrong.
    stub.reply = ({ headers }) => ({
      status: 401,
      body: JSON.stringify({ message: `bad key ${headers['apikey']}` }),
    })
    const refused = await runCoordinator(['serve'], {
      env: { PORT: '0', LOG_LEVEL: 'trace', SUPABASE_URL: stub.url, SUPABASE_SERVICE_ROLE_KEY: canary },
    })
    expect(refused.code).toBe(78)
    expect(refused.stdout + refused.stderr).not.toContain('Kanarienvogel')
    expect(coordinator.process.child.spawnargs.join(' ')).not.toContain(project.keys.secretKey)
  })
})
