import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { cart, type ServerScope, withServer } from '../http/with-server.ts'
import { scratchFolder } from '../main/coordinator-process.ts'
import { type RunInProcessOptions, runInProcess } from './run-in-process.ts'
import { json, withAnswers } from './with-answers.ts'

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/

/** Runs commands against one coordinator. */
function commandsOf({ url }: ServerScope) {
  return (args: readonly string[], { env = {}, ...more }: RunInProcessOptions = {}) =>
    runInProcess(args, { env: { COORDINATOR_URL: url, ...env }, ...more })
}

const register = (name: string, ...more: readonly string[]) => [
  ...['register', name, '--version', '1.0.0', '--endpoint', `http://${name}:80`],
  ...more,
]

describe('coordinator register', () => {
  it('takes every field from its options', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      const ran = await run([
        ...register('cart', '--health-check', '/live', '--description', 'Keeps carts.', '--tag', 'a'),
        ...['--tag', 'b', '--capability', 'carts', '--depends-on', 'redis@^7', '--depends-on', '@x/y'],
        ...['--metadata', 'team=shop=1', '--instance', 'i-1', '--ttl', '30', '--namespace', 'shop'],
      ])
      expect(ran.code).toBe(0)
      expect(ran.stdout).toMatch(
        /^Registered cart 1\.0\.0 in the namespace shop: new, at revision 1, with the id \S+\.\n$/,
      )
      expect(ran.stderr).toMatch(/^warning: .*redis.* \[unknown_dependency\]$/m)
      const { body } = await scope.ask('/services')
      expect(body.services).toMatchObject([
        {
          ...{ serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:80', healthCheck: '/live' },
          ...{ description: 'Keeps carts.', tags: ['a', 'b'], capabilities: ['carts'] },
          dependencies: [{ serviceName: 'redis', version: '^7' }, '@x/y'],
          ...{ metadata: { team: 'shop=1' }, instanceId: 'i-1', ttlSeconds: 30, namespace: 'shop' },
        },
      ])
      expect((await run(register('a'))).stdout).toContain(': new, at revision 2')
      expect((await run(register('a'))).stdout).toContain(': as it was, at revision 2')
      expect((await run(register('a', '--tag', 'x'))).stdout).toContain(': changed, at revision 3')
    }))

  it('takes a file as JSON or YAML, also from standard input, and options over it', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await using folder = await scratchFolder()
      const path = join(folder.path, 'cart.yaml')
      await writeFile(path, 'serviceName: cart\nversion: "1.0"\nendpoint: http://cart:80\ntags:\n  - file\n')
      expect((await run(['register', '--file', path, '--version', '2.0.0', '--tag', 'option'])).code).toBe(0)
      const shown = await run(['get', 'cart', '-o', 'json'])
      expect(JSON.parse(shown.stdout)).toMatchObject({ version: '2.0.0', tags: ['option'] })
      // What is shown can be registered again, in both forms.
      const yaml = await run(['get', 'cart', '-o', 'yaml'])
      for (const input of [shown.stdout, yaml.stdout])
        expect((await run(['register', '--file', '-'], { input })).stdout).toContain(': as it was')
    }))

  it('puts it into the namespace of the option, of the file, or of the variable, in this order', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      const env = { COORDINATOR_NAMESPACE: 'from-variable' }
      const input = JSON.stringify({ ...cart, namespace: 'from-file' })
      const places = [
        await run([...register('x'), '--dry-run'], { env }),
        await run(register('x'), { env }),
        await run(['register', '--file', '-'], { env, input }),
        await run(['register', '--file', '-', '--namespace', 'from-option'], { env, input }),
      ].map(({ stdout }) => /namespace (\S+):/.exec(stdout)?.[1])
      expect(places).toEqual([undefined, 'from-variable', 'from-file', 'from-option'])
    }))

  it('--dry-run stores nothing, and ends with 1 where the registration would break something', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await run(register('cart', '--instance', 'a'))
      await run(register('web', '--depends-on', 'cart@^1'))
      const ran = await run([
        ...['register', 'cart', '--version', '2.0.0', '--endpoint', 'http://cart:80'],
        ...['--instance', 'a', '--dry-run'],
      ])
      expect(ran.code).toBe(1)
      expect(ran.stdout).toContain('service:cart ^1: there would be 2.0.0')
      expect((await scope.ask('/services?name=cart')).body.services).toMatchObject([{ version: '1.0.0' }])
    }))

  it('says what is missing or wrong, in the words of the command', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      expect(await run(['register', 'cart'])).toMatchObject({
        code: 2,
        stderr:
          'coordinator: The registration lacks --version, --endpoint. Run `coordinator register --help`. [COORD_CLI_USAGE]\n',
      })
      const wrong = await run(['register', 'cart', '--version', '1', '--endpoint', 'javascript:x'])
      expect([wrong.code, wrong.stdout]).toEqual([1, ''])
      expect(wrong.stderr).toMatch(/^coordinator: .* \[COORD_ENDPOINT_SCHEME\]\n$/)
      expect((await run(register('cart', '--ttl', '0'))).code).toBe(2)
      expect((await run(register('cart', '--depends-on', 'redis@'))).code).toBe(2)
      expect((await run(register('cart', '--metadata', 'team'))).code).toBe(2)
      for (const [input, said] of [
        ['[]', /is a list\. Register a list with `coordinator import`/],
        ['', /is empty/],
        ['{', /is neither JSON nor YAML/],
        ['a: b: c', /is neither JSON nor YAML/],
        ['text', /has no registration in it/],
      ] as const) {
        const { code, stderr } = await run(['register', '--file', '-'], { input })
        expect([code, stderr]).toEqual([74, expect.stringMatching(said)])
      }
      expect(await run(['register', '--file', '/none.json'])).toMatchObject({ code: 74 })
    }))
})

describe('coordinator get', () => {
  it('shows one service by its name or its id, health before everything that sounds like a state', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      const { stdout } = await run(register('cart', '--tag', 'a', '--depends-on', 'redis@^7', '--ttl', '30'))
      const [id = ''] = uuid.exec(stdout) ?? []
      const byName = await run(['get', 'cart'])
      expect(byName.stdout).toMatch(/^name +cart\n/)
      expect(byName.stdout).toMatch(/^health +unknown, a heartbeat is due every 30 s$/m)
      expect(byName.stdout).toMatch(/^needs +redis \^7$/m)
      expect(byName.stdout).not.toContain('pending_migration')
      expect((await run(['get', id.toUpperCase()])).stdout).toBe(byName.stdout)
      expect((await run(['get', 'cart', '-o', 'wide'])).stdout).toMatch(
        /^status +pending_migration: it can be found and used; /m,
      )
      await run(register('cart', '--tag', 'b'))
      expect((await run(['get', 'cart', '--as-of', '1'])).stdout).toMatch(/^tags +a$/m)
    }))

  it('lists the services of a name that fits several, asks for more, and ends with 2', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await run(register('cart', '-n', 'shop'))
      await run(register('cart', '-n', 'bank'))
      for (const command of ['get', 'history', 'heartbeat', 'deregister']) {
        const { code, stdout, stderr } = await run([command, 'cart'])
        expect([code, stdout]).toEqual([2, ''])
        expect(stderr).toMatch(/^bank +cart +1\.0\.0 .*\nshop +cart /m)
        expect(stderr).toMatch(
          /^coordinator: 2 services have the name "cart"\. Give the id of the one that you mean, or its namespace with --namespace\. \[COORD_CLI_USAGE\]$/m,
        )
      }
      expect((await run(['get', 'cart', '-n', 'shop'])).stdout).toMatch(/^namespace +shop$/m)
      const env = { COORDINATOR_NAMESPACE: 'bank' }
      expect((await run(['get', 'cart'], { env })).stdout).toMatch(/^namespace +bank$/m)
      expect((await run(['deregister', 'cart', '-n', 'bank'])).code).toBe(0)
      expect((await run(['get', 'cart'])).stdout).toMatch(/^namespace +shop$/m)
    }))

  it('suggests the name that was probably meant, and knows a name that others only refer to', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await run(register('checkout', '--depends-on', 'ghost'))
      for (const command of ['get', 'history', 'heartbeat', 'deregister'])
        expect(await run([command, 'chekcout'])).toMatchObject({
          ...{ code: 1, stdout: '' },
          stderr: expect.stringMatching(
            /^coordinator: No service has the name "chekcout"\. Did you mean checkout\? `coordinator services` lists /,
          ),
        })
      expect((await run(['get', 'ghost'])).stderr).toContain('Other services only refer to it.')
      expect((await run(['get', ''])).code).toBe(2)
    }))
})

describe('coordinator deregister', () => {
  it('removes one service, and needs no right to read if it gets an id', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      const { stdout } = await run(register('cart'))
      const [id = ''] = uuid.exec(stdout) ?? []
      expect(await run(['deregister', id])).toMatchObject({
        code: 0,
        stdout: `Deregistered ${id} at revision 2.\n`,
      })
      const again = await run(['deregister', id])
      expect([again.code, again.stdout]).toEqual([1, ''])
      expect(again.stderr).toContain('COORD_SERVICE_NOT_FOUND')
      expect((await run(['get', id])).stderr).toContain('was deregistered at revision 2')
      expect((await run(['history', id])).stdout).toMatch(/^2 +\S+ +deregistered/m)
    }))
})

describe('coordinator heartbeat', () => {
  it('says that a service is up or down, and when it expires', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await run(register('cart', '--ttl', '30'))
      await run(register('web'))
      expect((await run(['heartbeat', 'cart'])).stdout).toMatch(
        /^cart is up, and expires without another heartbeat at \d{4}-\S+Z\.\n$/,
      )
      expect((await run(['heartbeat', 'web', '--status', 'down'])).stdout).toBe(
        'web is down, and does not expire: it has no ttlSeconds.\n',
      )
      expect(JSON.parse((await run(['heartbeat', 'cart', '--json'])).stdout)).toMatchObject({ health: 'up' })
      expect((await run(['services', '--health', 'down'])).stdout).toMatch(/^web +1\.0\.0 +down/m)
      expect((await run(['heartbeat', 'cart', '--status', 'ill'])).code).toBe(2)
      expect((await run(['heartbeat', 'cart', '--every', '0'])).code).toBe(2)
    }))
})

describe('coordinator history', () => {
  it('shows the newest change first, from as many pages as it takes', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      for (let at = 0; at < 120; at += 1)
        await scope.ask('/register', { json: { ...cart, serviceName: 'cart', tags: [`t${at}`] } })
      const { stdout } = await run(['history', 'cart', '--limit', '110'])
      const lines = stdout.trimEnd().split('\n')
      expect(lines[0]).toMatch(/^REVISION +TIME +WHAT +FIELDS +BY$/)
      expect(lines[1]).toMatch(/^120 +\S+ +updated +tags +http:127/)
      expect(lines.length).toBe(112)
      expect(lines.at(-1)).toBe('110 changes. Older ones exist, or are no longer kept.')
      const whole = await run(['history', 'cart', '--limit', '999', '-o', 'wide'])
      expect(whole.stdout).toContain('tags ["t0"] > ["t1"]')
      expect(whole.stdout).toMatch(/\n120 changes\.\n$/)
      expect((await run(['history', 'cart', '--limit', '0'])).code).toBe(2)
    }))
})

describe('coordinator namespaces', () => {
  it('lists them; --namespace and its variable choose one, --all-namespaces overrides the variable', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await run(register('cart'))
      await run(register('cart', '-n', 'shop'))
      await run(register('pay', '-n', 'shop'))
      const { stdout } = await run(['namespaces'])
      expect(stdout).toMatch(/^NAMESPACE +SERVICES +NODES\n/)
      expect(stdout).toMatch(/^shop +2 +2\n/m)
      expect((await run(['namespaces', '-o', 'wide'])).stdout).toMatch(/^shop +2 +2 +0\n/m)
      const env = { COORDINATOR_NAMESPACE: 'shop' }
      const names = async (...args: readonly string[]) =>
        JSON.parse((await run(['services', '--json', ...args], { env })).stdout).services.map(
          ({ namespace, serviceName }: Record<string, string>) => `${namespace}/${serviceName}`,
        )
      expect(await names()).toEqual(['shop/cart', 'shop/pay'])
      expect(await names('--namespace', 'default')).toEqual(['default/cart'])
      expect((await names('-A')).length).toBe(3)
      expect((await run(['services'])).stdout).toMatch(/^NAMESPACE +NAME /)
      expect((await run(['services', '--namespace', 'default'])).stdout).toMatch(/^NAME /)
    }))

  it('lists all namespaces, from as many pages as it takes', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await scope.ask('/register', { json: { ...cart, namespace: 'a' } })
      const others = Array.from({ length: 1_000 }, (_, at) => ({ ...cart, namespace: `n${at}` }))
      expect((await scope.ask('/register/batch', { json: others })).body.failed).toBe(0)
      expect((await run(['namespaces'])).stdout).toMatch(/^n999 +1 +1\n1001 namespaces\n/m)
    }))

  it('ends where every page names the same next one', () =>
    withAnswers(
      (_request, response) => json(response, 200, { namespaces: [], revision: 1, nextCursor: 'a' }),
      async (url) => expect((await runInProcess(['namespaces', '--url', url])).code).toBe(69),
    ))

  it('a wrong one is refused before anything is asked', async () => {
    expect(await runInProcess(['services', '--namespace', 'Shop'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^coordinator: --namespace must be a namespace: 1 to 63 lower-case/),
    })
    const env = { COORDINATOR_NAMESPACE: 'a b' }
    expect(await runInProcess(['services'], { env })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/COORDINATOR_NAMESPACE must be a namespace/),
    })
    expect((await runInProcess(['services', '-n', 'a', '-A'])).code).toBe(2)
  })
})

describe('-o', () => {
  it('prints the same value as JSON and as YAML, and no control characters in either', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await scope.ask('/register', {
        json: {
          ...cart,
          serviceName: 'cart',
          description: 'a: b\n\u001b[31mred\u001b[0m # no',
          tags: ['yes', '1.0'],
        },
      })
      for (const args of [['services'], ['get', 'cart'], ['history', 'cart'], ['status'], ['namespaces']]) {
        const [json, yaml] = [await run([...args, '-o', 'json']), await run([...args, '-o', 'yaml'])]
        expect([json.code, yaml.code]).toEqual([0, 0])
        // Both were asked at another moment.
        if (args[0] !== 'status') expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout))
        expect(json.stdout + yaml.stdout).not.toContain('\u001b')
        expect((await run([...args, '--json'])).code).toBe(0)
      }
    }))

  it('wide shows more of the services', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      await run(register('cart'))
      const [head = '', row = ''] = (await run(['services', '-o', 'wide'])).stdout.split('\n')
      expect(head.split(/\s{2,}/)).toEqual(
        [
          'NAMESPACE',
          'NAME',
          'VERSION',
          'HEALTH',
          'ENDPOINT',
          'TAGS',
          'STATUS',
          'ID',
          'REVISION',
          'UPDATED',
        ].concat('LAST HEARTBEAT'),
      )
      expect(row).toMatch(/^default +cart +1\.0\.0 +unknown +http:\/\/cart:80\/? +pending_migration +/)
    }))

  it('is refused for a format that does not exist, and beside --json', async () => {
    expect((await runInProcess(['services', '-o', 'xml'])).code).toBe(2)
    expect((await runInProcess(['services', '-o', 'yaml', '--json'])).code).toBe(2)
  })
})

describe('coordinator changes: --namespace', () => {
  it('shows only what changed there', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      for (const namespace of ['shop', 'bank']) await run(register('cart', '-n', namespace))
      const env = { COORDINATOR_NAMESPACE: 'shop' }
      const revisions = async (...args: readonly string[]) =>
        [...(await run(['changes', ...args], { env })).stdout.matchAll(/^(\d+) /gm)].map(([, text]) => text)
      expect(await revisions()).toEqual(['1'])
      expect(await revisions('-n', 'bank')).toEqual(['2'])
      expect(await revisions('-A')).toEqual(['1', '2'])
    }))
})

describe('coordinator graph: --namespace', () => {
  it('says where plain names are looked for, and which nodes a list has', () =>
    withServer(async (scope) => {
      const run = commandsOf(scope)
      for (const namespace of ['shop', 'bank'])
        for (const name of [`only-${namespace}`, 'db'])
          await run(register(name, '-n', namespace, '--depends-on', 'db', '--depends-on', 'gone'))
      const env = { COORDINATOR_NAMESPACE: 'shop' }
      for (const args of [
        ['impact', 'db', '-n', 'shop'],
        ['impact', 'service:@shop:db'],
      ]) {
        const { stdout } = await run(['graph', ...args])
        expect(stdout).toContain('service:@shop:only-shop')
        expect(stdout).not.toContain('bank')
      }
      expect((await run(['graph', 'impact', 'db'], { env })).stdout).toContain('service:@shop:only-shop')
      expect((await run(['graph', 'impact', 'db', '-A'], { env })).code).toBe(1)
      expect((await run(['graph', 'impact', 'bd', '-n', 'shop'])).stderr).toContain('Did you mean db?')
      const unresolved = async (...args: readonly string[]) =>
        (await run(['graph', 'unresolved', ...args], { env })).stdout
          .split('\n')
          .slice(2, -1)
          .map((line) => line.split(' ')[0])
      expect(await unresolved()).toEqual(['service:@shop:gone'])
      expect((await unresolved('-A')).length).toBe(2)
      const dot = (await run(['graph', 'export', '--format', 'dot', '-n', 'bank'])).stdout
      expect([dot.includes('only-bank'), dot.includes('only-shop')]).toEqual([true, false])
      const broken = await run(['graph', 'what-if', '--remove', 'db'], { env })
      expect([broken.code, broken.stdout.includes('service:@shop:only-shop')]).toEqual([1, true])
      expect((await run(['graph', 'what-if', '--remove', 'bd'], { env })).stderr).toContain(
        'Did you mean db?',
      )
      expect((await run(['graph', 'diff', '1'], { env })).code).toBe(0)
    }))
})
