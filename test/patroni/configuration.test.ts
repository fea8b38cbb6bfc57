import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { scratchFolder } from '../main/coordinator-process.ts'
import { freePort } from '../support/free-port.ts'
import { itWith } from '../support/it-with.ts'
import { etcdConfig, haproxyConfig, patroniConfig } from './configuration.ts'

const execute = promisify(execFile)
const folder = 'deploy/high-availability'

describe(folder, () => {
  it('patroni.yml acknowledges nothing that one member alone has, and has times that Patroni accepts', () => {
    const { dcs } = parse(readFileSync(`${folder}/patroni.yml`, 'utf8')).bootstrap
    expect(dcs).toMatchObject({ synchronous_mode: true, synchronous_mode_strict: true })
    expect(dcs.loop_wait + 2 * dcs.retry_timeout).toBeLessThanOrEqual(dcs.ttl)
  })

  it('patroni.yml keeps the rows that long reads of standbys need, as doctor wants it', () => {
    const { dcs } = parse(readFileSync(`${folder}/patroni.yml`, 'utf8')).bootstrap
    expect(dcs.postgresql.parameters).toMatchObject({ hot_standby_feedback: 'on' })
  })

  it('patroni.yml has lines for TLS that are right once they are no comments', () => {
    const text = readFileSync(`${folder}/patroni.yml`, 'utf8').replaceAll(/^( +)# (ssl\w*: )/gm, '$1$2')
    expect(parse(text, { version: '1.1' }).postgresql.parameters).toEqual({
      unix_socket_directories: '/var/run/postgresql',
      // As text: PostgreSQL does not know the boolean that `on` is in YAML.
      ssl: 'on',
      ssl_cert_file: expect.stringContaining('.crt'),
      ssl_key_file: expect.stringContaining('.key'),
    })
  })

  itWith('patroni', '/usr/lib/postgresql/15/bin/postgres')('patroni.yml is what Patroni takes', async () => {
    await using scratch = await scratchFolder()
    // Patroni looks whether somebody listens where etcd should be.
    const etcd = createServer().listen(0, '127.0.0.1')
    await once(etcd, 'listening')
    try {
      const file = join(scratch.path, 'patroni.yml')
      const text = patroniConfig({
        ...{ name: 'node1', folder: scratch.path, etcdPort: (etcd.address() as AddressInfo).port },
        ...{ port: await freePort(), restPort: await freePort() },
      })
      writeFileSync(file, text)
      expect(await validate(file)).toBe('')
      writeFileSync(file, text.replace('data_dir:', 'data_folder:'))
      expect(await validate(file)).toContain('data_dir')
    } finally {
      etcd.close()
    }
  })

  itWith('etcd')('etcd.yml has only settings that etcd has', async () => {
    await using scratch = await scratchFolder()
    const known = (await execute('etcd', ['--help'])).stdout
    const names = Object.keys(parse(etcdConfig(scratch.path, await freePort(), await freePort())))
    expect(names.length).toBeGreaterThan(5)
    // The help of etcd 3.4 is silent about this one. Without it Patroni gets no answer, which the long test would notice.
    for (const name of names.filter((name) => name !== 'enable-grpc-gateway'))
      expect(known).toContain(`--${name}`)
  })

  itWith('/usr/sbin/haproxy')('haproxy.cfg is what HAProxy takes', async () => {
    await using scratch = await scratchFolder()
    const file = join(scratch.path, 'haproxy.cfg')
    const members = [1, 2, 3].map((index) => ({ port: 5_000 + index, restPort: 8_000 + index }))
    const text = haproxyConfig(await freePort(), members)
    writeFileSync(file, text)
    await execute('/usr/sbin/haproxy', ['-c', '-f', file])
    writeFileSync(file, text.replace('httpchk', 'httpcheck'))
    await expect(execute('/usr/sbin/haproxy', ['-c', '-f', file])).rejects.toThrow(/httpcheck/)
  })
})

/** What Patroni finds wrong with a file. It exits with 1 in either case. */
async function validate(file: string): Promise<string> {
  const { stdout, stderr } = await execute('patroni', ['--validate-config', file]).catch((thrown) => thrown)
  const complaints = `${stdout}${stderr}`.split('\n')
  // It wants addresses that other machines can reach.
  return complaints
    .filter((line) => !/connect_address .*must not contain "127/.test(line))
    .join('\n')
    .trim()
}
