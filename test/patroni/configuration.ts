import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'

type Value = string | number | boolean | readonly string[]

/**
 * A configuration of `deploy/high-availability` with other values, so that what users are given is what is tested.
 *
 * @throws Error where the file does not have a value that is to be replaced
 */
function yamlWith(file: string, values: Readonly<Record<string, Value>>): string {
  // Patroni reads YAML 1.1, where `off` is a boolean unless it is quoted.
  const text = readFileSync(`deploy/high-availability/${file}`, 'utf8')
  const document = parseDocument(text, { version: '1.1' })
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('/')
    if (!document.hasIn(keys)) throw new Error(`${file} has no ${path}.`)
    document.setIn(keys, document.createNode(value))
  }
  return document.toString()
}

/** The same for a file that is plain text. @throws Error where a text does not stand in it exactly once */
function textWith(file: string, texts: Readonly<Record<string, string>>): string {
  let text = readFileSync(`deploy/high-availability/${file}`, 'utf8')
  for (const [from, to] of Object.entries(texts)) {
    if (text.split(from).length !== 2) throw new Error(`${file} does not have "${from}" exactly once.`)
    text = text.replace(from, to)
  }
  return text
}

export const superuserPassword = 'secret-of-postgres'

export interface MemberPlace {
  readonly name: string
  readonly folder: string
  readonly port: number
  readonly restPort: number
  readonly etcdPort: number
}

/** `patroni.yml` of a member on this machine. */
export function patroniConfig({ name, folder, port, restPort, etcdPort }: MemberPlace): string {
  return yamlWith('patroni.yml', {
    name,
    'restapi/listen': `127.0.0.1:${restPort}`,
    'restapi/connect_address': `127.0.0.1:${restPort}`,
    'etcd3/hosts': [`127.0.0.1:${etcdPort}`],
    'bootstrap/pg_hba/1': 'host replication replicator 127.0.0.1/32 scram-sha-256',
    'bootstrap/pg_hba/2': 'host all all 127.0.0.1/32 scram-sha-256',
    'postgresql/listen': `127.0.0.1:${port}`,
    'postgresql/connect_address': `127.0.0.1:${port}`,
    'postgresql/data_dir': join(folder, 'data'),
    'postgresql/pgpass': join(folder, 'pgpass'),
    'postgresql/authentication/superuser/password': superuserPassword,
    'postgresql/parameters/unix_socket_directories': folder,
    // There is one for a machine, not one for each process of a test.
    'watchdog/mode': 'off',
  })
}

/** `etcd.yml` of a cluster of one server. */
export function etcdConfig(folder: string, port: number, peerPort: number): string {
  const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  return yamlWith('etcd.yml', {
    'data-dir': join(folder, 'data'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `etcd1=${peerUrl}`,
  })
}

/** `haproxy.cfg` with a port of its own, and the ports of the three members. */
export function haproxyConfig(
  port: number,
  members: readonly { readonly port: number; readonly restPort: number }[],
): string {
  const servers = members.map((member, index) => [
    `10.0.0.1${index + 1}:5432 check port 8008`,
    `127.0.0.1:${member.port} check port ${member.restPort}`,
  ])
  return textWith('haproxy.cfg', {
    ...Object.fromEntries(servers),
    'bind 127.0.0.1:5432': `bind 127.0.0.1:${port}`,
  })
}
