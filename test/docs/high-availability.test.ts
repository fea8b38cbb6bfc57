import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAlarmRules } from '../../scripts/generate/alarm-rules.ts'
import { readSettings } from '../../src/config/settings.ts'
import { ERRORS } from '../../src/errors.ts'
import { knownMetrics } from '../deploy/known-metrics.ts'
import { unknownVariables } from '../deploy/known-variables.ts'
import { ask, plainEnv, registration, scratchFolder, serving } from '../main/coordinator-process.ts'
import { freePort } from '../support/free-port.ts'
import { itWith } from '../support/it-with.ts'
import { PostgresServer } from '../support/postgres.ts'

const page = readFileSync('docs/high-availability.md', 'utf8')
const balancerFile = 'deploy/high-availability/coordinators.cfg'

function sectionOf(heading: string): string {
  const section = page.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`The page has no heading ${heading}.`)
  return section
}

const blocksOf = (heading: string, language = 'sh') =>
  [...sectionOf(heading).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  )

/** The settings of a block of lines such as `NAME='value'`. */
const settingsOf = (block: string) =>
  Object.fromEntries(
    [...block.matchAll(/^([A-Z_]+)='?([^'\n]*)'?$/gm)].map(([, name = '', value = '']) => [name, value]),
  )

/** Runs commands. @returns what they wrote, after it was asserted that they succeeded */
function run(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    execFile('bash', ['-c', script], { cwd, env, timeout: 110_000 }, (error, stdout, stderr) => {
      if (error === null) done(stdout)
      else fail(new Error(`${script}\n${stdout}\n${stderr}`, { cause: error }))
    })
  })
}

describe('docs/high-availability.md', () => {
  it('names settings, errors, metrics, alarms and files that there are', async () => {
    const words = [...page.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word)
    const named = (pattern: RegExp) => words.flatMap((word) => word.match(pattern) ?? [])

    const codes = named(/\bCOORD_[A-Z_]+/g)
    expect(codes.length).toBeGreaterThan(2)
    for (const code of codes) expect(Object.keys(ERRORS)).toContain(code)

    const settings = named(/\b[A-Z]+(?:_[A-Z]+)+\b/g).filter((name) => !/^(COORD|TEST)_/.test(name))
    expect(settings.length).toBeGreaterThan(10)
    expect(unknownVariables(settings)).toEqual([])

    const metrics = named(/\bcoordinator_\w+/g)
    expect(metrics.length).toBeGreaterThan(2)
    const known = await knownMetrics()
    for (const name of metrics) expect([...known.keys()]).toContain(name)

    const alarms = named(/\bCoordinator[A-Z]\w+/g)
    expect(alarms.length).toBeGreaterThan(0)
    const rules = readAlarmRules().map(({ alert }) => alert)
    for (const alarm of alarms) expect(rules).toContain(alarm)

    const tests = [...page.matchAll(/(?:(TEST_\w+)=\d+ )?npm run test:long -- ([\w-]+)/g)]
    expect(tests.length).toBeGreaterThan(1)
    for (const [command, variable = '', name = ''] of tests) {
      const sources = globSync(`test/**/${name}.long.test.ts`).map((file) => readFileSync(file, 'utf8'))
      expect([command, sources.length]).toEqual([command, 1])
      expect(sources[0]).toContain(variable)
    }

    const files = named(/\bdeploy\/\S+/g)
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) expect([file, existsSync(file)]).toEqual([file, true])
  })

  it('has settings that a coordinator starts with', () => {
    const urls = [...sectionOf('How a coordinator finds the primary').matchAll(/`(postgres:[^`]+)`/g)]
    expect(urls).toHaveLength(1)
    const env = {
      DATABASE_URL: urls[0]?.[1] ?? '',
      ...settingsOf(blocksOf('Patroni')[0] ?? ''),
      ...settingsOf(blocksOf('Read replicas')[0] ?? ''),
    }
    expect(Object.keys(env)).toHaveLength(6)
    expect(unknownVariables(Object.keys(env))).toEqual([])
    expect(readSettings(env)).toMatchObject({
      database: { backend: 'postgres' },
      commitTimeoutMs: 60_000,
      warnings: [],
    })
    expect(() => readSettings({ ...env, COMMIT_TIMEOUT_MS: 'a minute' })).toThrow('COMMIT_TIMEOUT_MS')

    // One replica, wherever it is.
    const moving = settingsOf(blocksOf('Read replicas')[1] ?? '')
    expect(Object.keys(moving)).toEqual(['DATABASE_REPLICAS'])
    const { databaseReplicas } = readSettings({ ...env, ...moving })
    expect(databaseReplicas.map(({ hosts }) => hosts.length)).toEqual([3])
    expect(databaseReplicas[0]?.sessionKind).toBeUndefined()
  })

  itWith('bash', 'haproxy')(
    'has configurations that HAProxy accepts, with a coordinator that stands by too',
    async () => {
      const [check = '', ...others] = blocksOf('Several coordinators')
      expect(others).toEqual([])
      await run(check, '.', plainEnv())
      await using folder = await scratchFolder()
      const [line = ''] = blocksOf('Heartbeats', '')
      expect(line).toMatch(/^server two .* backup\n$/)
      const text = readFileSync(balancerFile, 'utf8')
      const standby = text.replace(/^ *server two .*\n/m, `  ${line}`)
      expect(standby).not.toBe(text)
      const path = join(folder.path, 'haproxy.cfg')
      writeFileSync(path, standby)
      await run(`haproxy -c -f '${path}'`, '.', plainEnv())

      // TLS on both sides, as the file and the page say, with a certificate that is there.
      const pem = join(folder.path, 'coordinator.pem')
      const certificates = 'test/support/certificates'
      writeFileSync(
        pem,
        ['crt', 'key'].map((kind) => readFileSync(`${certificates}/server.${kind}`)).join(''),
      )
      const [verify = ''] =
        /ssl verify required ca-file \S+(?=`)/.exec(sectionOf('Several coordinators')) ?? []
      const secured = text
        .replace(/# (bind :443 ssl crt) \S+/, `$1 ${pem}`)
        .replaceAll(
          /^ *server .*/gm,
          `$& ${verify.replace('/etc/ssl/our-ca.crt', `${certificates}/authority.crt`)}`,
        )
      expect(secured.match(/\bssl\b/g)).toHaveLength(3)
      writeFileSync(path, secured)
      await run(`haproxy -c -f '${path}'`, '.', plainEnv())
      await expect(run(`haproxy -c -f '${path}.missing'`, '.', plainEnv())).rejects.toThrow()
    },
  )

  itWith('bash', 'curl', 'haproxy')(
    'has a trial whose commands work, one after the other',
    async () => {
      await using server = await PostgresServer.start()
      await using folder = await scratchFolder()
      const blocks = blocksOf('Try it on one machine')
      expect(blocks).toHaveLength(3)
      const ports = { 3000: await freePort(), 3001: await freePort(), 3002: await freePort() }
      const withPorts = (text: string) =>
        text.replaceAll(/\b(300[012])\b/g, (port) => String(ports[Number(port) as keyof typeof ports]))
      const config = join(folder.path, 'coordinators.cfg')
      writeFileSync(config, withPorts(readFileSync(balancerFile, 'utf8')))
      const script = withPorts(blocks.join('echo\n'))
        .replace(/postgres:[^']+/, server.url())
        .replace(balancerFile, config)
        .replaceAll(/> (\w+)\.log/g, `> '${folder.path}/$1.log'`)
      // Whatever fails, nothing is left running.
      const ended = `trap 'kill -9 $(jobs -p) 2> /dev/null' EXIT\n`
      const output = await run(`set -uo pipefail\n${ended}${script}wait`, '.', plainEnv())
      // Answers have no line break at their end.
      const answers = output.trim().replaceAll('}{', '}\n{').split('\n')
      expect(answers).toHaveLength(3)
      expect(sectionOf('Try it on one machine')).toContain(`\`${answers[0]}\``)
      expect(JSON.parse(answers[1] ?? '')).toMatchObject({ success: true, storage: { durable: true } })
      expect(JSON.parse(answers[2] ?? '').services).toMatchObject([{ serviceName: 'test' }])
      expect(globSync(join(folder.path, '*.log'))).toHaveLength(3)
    },
    120_000,
  )

  it('says the truth about two coordinators: pages go on at the other one, and heartbeats do not count there', async () => {
    await using server = await PostgresServer.start()
    const env = { DATABASE_URL: server.url() }
    await using one = await serving({ env })
    await using two = await serving({ env })
    const { body: registered } = await ask(
      `${one.url}/register`,
      'POST',
      registration('cart', { ttlSeconds: 1 }),
    )
    await ask(`${one.url}/register`, 'POST', registration('shop'))
    const { body: page } = await ask(`${one.url}/services?limit=1`)
    const next = await ask(`${two.url}/services?limit=1&minRevision=2&cursor=${page.nextCursor}`)
    expect([...page.services, ...next.body.services]).toMatchObject([
      { serviceName: 'cart' },
      { serviceName: 'shop' },
    ])
    const healthAt = async (url: string) => {
      await ask(`${one.url}/services/${registered.serviceId}/heartbeat`, 'PUT')
      return (await ask(`${url}/services/${registered.serviceId}`)).body.service.health
    }
    await expect.poll(() => healthAt(two.url), { interval: 100 }).toBe('expired')
    expect(await healthAt(one.url)).toBe('up')
  })
})
