import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Setting } from '../../src/config/setting.ts'
import { readClientSettings, readSettings, secretTexts } from '../../src/config/settings.ts'
import { settingsTable } from '../../src/config/table.ts'
import { faultOf } from './fault-of.ts'

const secret = 'CaNaRy7f3a'.repeat(4)
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coordinator-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(content: string | Uint8Array): string {
  const path = join(folder, crypto.randomUUID())
  writeFileSync(path, content)
  return path
}

const all = Object.values(settingsTable).flatMap((section) => Object.values<Setting<unknown>>(section))
const url = { SUPABASE_URL: 'https://abcdefghijklmnopqrst.supabase.co' }
/** A value of each secret, and what it needs beside it. */
const examples: Record<string, readonly [string, Record<string, string>]> = {
  DATABASE_URL: [`postgres://u:${secret}@host/db`, {}],
  DATABASE_REPLICAS: [`postgres://u:${secret}@host/db`, { DATABASE_URL: 'postgres://u@primary/db' }],
  SUPABASE_SERVICE_ROLE_KEY: [`sb_secret_${secret}`, url],
  SUPABASE_SECRET_KEY: [`sb_secret_${secret}`, url],
  SUPABASE_ANON_KEY: [`sb_publishable_${secret}`, url],
  SUPABASE_PUBLISHABLE_KEY: [`sb_publishable_${secret}`, url],
  AUTH_ADMIN_TOKEN: [secret, { AUTH: 'required' }],
  AUTH_METRICS_TOKEN: [secret, { AUTH: 'required', DATABASE_URL: 'sqlite:x.db' }],
  AUTH_JWT_SECRET: [
    secret,
    { AUTH: 'required', AUTH_JWT_ISSUER: 'https://issuer', AUTH_JWT_AUDIENCE: 'coordinator' },
  ],
  COORDINATOR_TOKEN: [secret, {}],
  AWS_SECRET_ACCESS_KEY: [secret, {}],
  AWS_SESSION_TOKEN: [secret, {}],
}
const names = all.filter((setting) => setting.secret).flatMap(({ name, aliases = [] }) => [name, ...aliases])

describe('a secret in a file', () => {
  it.each(names)('%s_FILE gives what %s would, without one line break at the end', (name) => {
    const [value, beside] = examples[name] ?? ['', {}]
    const read = (env: Record<string, string>) => {
      const { database, warnings, ...settings } = readSettings({ ...beside, ...env })
      return { settings, texts: secretTexts({ database, ...settings }), warnings }
    }
    const plain = read({ [name]: value })
    expect(plain.texts).toHaveLength(1)
    for (const ending of ['', '\n', '\r\n'])
      expect({ ...read({ [`${name}_FILE`]: file(value + ending) }), warnings: [] }).toEqual({
        ...plain,
        warnings: [],
      })
  })

  it.each(names)('%s and %s_FILE together are refused, and no other fault is found', (name) => {
    const [value, beside] = examples[name] ?? ['', {}]
    const fault = faultOf({ ...beside, [name]: value, [`${name}_FILE`]: file(value) })
    expect(fault).toMatchObject({
      exitCode: 78,
      detail: `${name}_FILE and ${name} are both set: unset one of them.`,
    })
  })

  it.each(names)('%s_FILE that cannot be read is one fault, with the code of the system', (name) => {
    const [, beside] = examples[name] ?? ['', {}]
    const folderPath = join(folder, crypto.randomUUID())
    mkdirSync(folderPath)
    for (const [path, code] of [
      [join(folder, `absent-${secret}`), 'ENOENT'],
      [folderPath, 'EISDIR'],
      [`a\0${secret}`, 'ERR_INVALID_ARG_VALUE'],
    ] as const) {
      const fault = faultOf({ ...beside, [`${name}_FILE`]: path })
      expect(fault.detail).toBe(
        `${name}_FILE names a file that cannot be read (${code}): correct the path, or the rights of the file.`,
      )
      expect(fault.errors).toHaveLength(1)
    }
  })

  it.each([
    ['of more than 64 KiB', 'x'.repeat(65_537), 'names a file of more than 64 KiB, which is not a secret'],
    ['without an end', undefined, 'names a file of more than 64 KiB, which is not a secret'],
    ['that is no text', Uint8Array.of(0xff, 0xfe, 0x41), 'names a file that is not UTF-8 text'],
    ['that is empty', '', 'names an empty file: write the secret into it, or unset the variable'],
    ['with an empty line', '\n', 'names an empty file: write the secret into it, or unset the variable'],
    ['with a short secret', 'short', 'must be a secret of 32 to 1024 visible ASCII characters'],
    ['with two line breaks at its end', `${secret}\n\n`, 'must be a secret of 32 to 1024 visible ASCII'],
    ['with quotation marks', `"${secret}"`, 'has quotation marks around its value: remove them'],
  ])('%s is refused, and its content is not shown', (_what, content, reason) => {
    const path = content === undefined ? '/dev/zero' : file(content)
    const fault = faultOf({ AUTH: 'required', AUTH_ADMIN_TOKEN_FILE: path })
    expect(fault.detail).toContain(`AUTH_ADMIN_TOKEN_FILE ${reason}`)
    expect(fault.errors).toHaveLength(1)
    expect(JSON.stringify(fault)).not.toContain(secret)
  })

  it('of exactly 64 KiB, and with a byte order mark, is read', () => {
    const long = 'x'.repeat(65_536 - 'postgres://u:@host/db'.length)
    const { database } = readSettings({ DATABASE_URL_FILE: file(`postgres://u:${long}@host/db`) })
    expect(database.backend === 'postgres' && database.password?.reveal()).toBe(long)
    const marked = readSettings({ AUTH: 'required', AUTH_ADMIN_TOKEN_FILE: file(`\ufeff${secret}`) })
    expect(marked.access.adminToken?.reveal()).toBe(secret)
  })

  it('may be a pipe', () => {
    const read = `import { readSettings } from './src/config/settings.ts'
      const { database } = readSettings()
      console.log(database.user, database.password.reveal() === '${secret}')`
    const script = `DATABASE_URL_FILE=<(printf 'postgres://ann:${secret}@host/db\\n') "$0" --input-type=module -e "$1"`
    const output = execFileSync('bash', ['-c', script, process.execPath, read], { encoding: 'utf8' })
    expect(output).toBe('ann true\n')
  })

  it('under another name of the variable is named as such, and mixed forms are refused', () => {
    const key = file(`sb_secret_${secret}`)
    const { database } = readSettings({ ...url, SUPABASE_SECRET_KEY_FILE: key })
    expect(database).toMatchObject({ keyVariable: 'SUPABASE_SECRET_KEY_FILE' })
    const mixed = { ...url, SUPABASE_SECRET_KEY_FILE: key, SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_x' }
    expect(faultOf(mixed).detail).toBe(
      'SUPABASE_SECRET_KEY_FILE and SUPABASE_SERVICE_ROLE_KEY are both set: unset one of them.',
    )
    const both = {
      ...url,
      SUPABASE_SECRET_KEY_FILE: key,
      SUPABASE_SERVICE_ROLE_KEY_FILE: file('sb_secret_x'),
    }
    expect(readSettings(both).warnings).toEqual([
      'SUPABASE_SERVICE_ROLE_KEY_FILE is used; SUPABASE_SECRET_KEY_FILE is another name for it, with another value.',
    ])
  })

  it('is read by commands, too', () => {
    const settings = readClientSettings({
      COORDINATOR_TOKEN_FILE: file('cdt_x\n'),
      DATABASE_URL_FILE: '/none',
    })
    expect(settings.coordinatorToken?.reveal()).toBe('cdt_x')
  })

  it('is no form of settings that are not secret, and TLS_KEY_FILE is a path', () => {
    expect(readSettings({ PORT_FILE: file('8080') }).port).toBe(3000)
    const tls = { TLS_CERT_FILE: '/none', TLS_KEY_FILE: '/none' }
    expect(readSettings(tls)).toMatchObject({ tlsKeyFile: '/none' })
  })
})
