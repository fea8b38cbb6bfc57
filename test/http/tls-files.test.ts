import { X509Certificate } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import { askSecurely, connectSecurely, testFile } from '../support/tls-client.ts'
import { scrape } from '../telemetry/scrape.ts'
import { type ServerScope, withServer } from './with-server.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coordinator-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const inFolder = (name: string) => join(folder, name)

async function fingerprintOf(name: string): Promise<string> {
  return new X509Certificate(await readFile(testFile(`${name}.crt`))).fingerprint256
}

/** Writes a pair under the names that the server reads. */
async function write(name: string): Promise<void> {
  await copyFile(testFile(`${name}.crt`), inFolder('tls.crt'))
  await copyFile(testFile(`${name}.key`), inFolder('tls.key'))
}

async function withFiles(body: (scope: ServerScope) => Promise<void>): Promise<void> {
  await withServer(body, {
    settings: { tlsCertFile: inFolder('tls.crt'), tlsKeyFile: inFolder('tls.key') },
    tlsLookMs: 20,
  })
}

async function shownBy({ url }: ServerScope): Promise<string> {
  return (await askSecurely(`${url}/health/live`)).certificate
}

const lines = ({ log }: ServerScope, text: string) => log.filter((line) => line.includes(text)).length

describe('the files of TLS that change', () => {
  it('are read again: new connections get the new certificate, old ones go on', async () => {
    await write('web')
    await withFiles(async (scope) => {
      expect(await shownBy(scope)).toBe(await fingerprintOf('web'))
      const old = await connectSecurely(scope.port)
      await write('renewed')
      const renewed = await fingerprintOf('renewed')
      await expect.poll(() => shownBy(scope)).toBe(renewed)
      expect(lines(scope, 'the certificate is in use')).toBe(2)
      expect(lines(scope, renewed)).toBe(1)
      const { validToDate } = new X509Certificate(await readFile(testFile('renewed.crt')))
      const expiry = 'coordinator_http_certificate_expiry_timestamp_seconds'
      expect((await scrape(scope.metrics)).get(expiry)).toBe(validToDate.getTime() / 1_000)
      old.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      let answer = ''
      for await (const chunk of old) answer += chunk
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    })
  })

  it('may be replaced by renaming, one after the other, with any pause between', async () => {
    await write('web')
    await withFiles(async (scope) => {
      await copyFile(testFile('renewed.crt'), inFolder('new.crt'))
      await copyFile(testFile('renewed.key'), inFolder('new.key'))
      await rename(inFolder('new.crt'), inFolder('tls.crt'))
      await expect.poll(() => lines(scope, 'is not that of the first certificate')).toBe(1)
      expect(await shownBy(scope)).toBe(await fingerprintOf('web'))
      await rename(inFolder('new.key'), inFolder('tls.key'))
      await expect.poll(() => shownBy(scope)).toBe(await fingerprintOf('renewed'))
      expect(lines(scope, 'the TLS files have changed and are not used')).toBe(1)
    })
  })

  it('may be links that move to another folder, as Kubernetes mounts secrets', async () => {
    for (const name of ['web', 'renewed']) {
      await write(name)
      await writeFile(inFolder(`${name}-crt`), await readFile(inFolder('tls.crt')))
      await writeFile(inFolder(`${name}-key`), await readFile(inFolder('tls.key')))
    }
    const link = async (name: string) => {
      for (const end of ['crt', 'key']) {
        await symlink(inFolder(`${name}-${end}`), inFolder('link'))
        await rename(inFolder('link'), inFolder(`tls.${end}`))
      }
    }
    await link('web')
    await withFiles(async (scope) => {
      expect(await shownBy(scope)).toBe(await fingerprintOf('web'))
      await link('renewed')
      await expect.poll(() => shownBy(scope)).toBe(await fingerprintOf('renewed'))
    })
  })

  it('that are damaged or gone leave the certificate in use, and are told once', async () => {
    await write('web')
    await withFiles(async (scope) => {
      const web = await fingerprintOf('web')
      const whole = await readFile(inFolder('tls.crt'), 'utf8')
      for (const [change, told] of [
        [() => writeFile(inFolder('tls.crt'), whole.slice(0, 200)), 'has no certificate in PEM form'],
        [() => unlink(inFolder('tls.crt')), 'cannot be read (ENOENT)'],
        [() => writeFile(inFolder('tls.crt'), ''), 'has no certificate in PEM form'],
      ] as const) {
        const before = lines(scope, told)
        await change()
        await expect.poll(() => lines(scope, told)).toBe(before + 1)
        expect(await shownBy(scope)).toBe(web)
      }
      expect(lines(scope, 'the TLS files have changed and are not used')).toBe(3)
      await write('renewed')
      await expect.poll(() => shownBy(scope)).toBe(await fingerprintOf('renewed'))
    })
  })
})

describe('files of TLS that cannot be used', () => {
  const key = 'TLS_KEY_FILE (KEY)'
  const cert = 'TLS_CERT_FILE (CERT)'
  it.each<[string, () => Promise<void>, string]>([
    ['without a certificate', () => unlink(inFolder('tls.crt')), `${cert} cannot be read (ENOENT).`],
    ['without a key', () => unlink(inFolder('tls.key')), `${key} cannot be read (ENOENT).`],
    [
      'with a key in the place of the certificate',
      () => copyFile(testFile('web.key'), inFolder('tls.crt')),
      `${cert} has no certificate in PEM form.`,
    ],
    [
      'with a certificate in the place of the key',
      () => copyFile(testFile('web.crt'), inFolder('tls.key')),
      `${key} has no private key in PEM form.`,
    ],
    [
      'with the key of another certificate',
      () => copyFile(testFile('renewed.key'), inFolder('tls.key')),
      `The private key in ${key} is not that of the first certificate in ${cert}.`,
    ],
    [
      'with an encrypted key',
      () => copyFile(testFile('encrypted.key'), inFolder('tls.key')),
      `The private key in ${key} is encrypted, and there is no setting for its password.`,
    ],
    [
      'with a file that has no end',
      async () => {
        await unlink(inFolder('tls.key'))
        await symlink('/dev/zero', inFolder('tls.key'))
      },
      `${key} has more than 1 MiB.`,
    ],
  ])('%s end the start with 78 and name the file', async (_what, spoil, detail) => {
    await write('web')
    await spoil()
    const error = await withFiles(async () => undefined).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CoordinatorError)
    expect(error).toMatchObject({
      code: 'COORD_TLS_FILE',
      exitCode: 78,
      detail: detail.replace('CERT)', `${inFolder('tls.crt')})`).replace('KEY)', `${inFolder('tls.key')})`),
    })
    expect((error as CoordinatorError).cause).toBeUndefined()
  })
})
