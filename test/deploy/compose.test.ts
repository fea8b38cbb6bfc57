import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { composeFaults } from './compose-faults.ts'

const files = globSync('deploy/compose*.yaml')
const compose = readFileSync('deploy/compose.yaml', 'utf8')

describe('compose files', () => {
  it.each(files)('%s has no fault', (file) => {
    expect(composeFaults(readFileSync(file, 'utf8'))).toEqual([])
  })

  it('are the two that the guide names', () => {
    expect(files.toSorted()).toEqual(['deploy/compose.sqlite.yaml', 'deploy/compose.yaml'])
  })
})

describe('the check of compose files', () => {
  it.each([
    ['a word that Compose does not know', 'read_only: true', 'readonly: true', 'invalid-schema'],
    ['text that is no YAML', 'services:', 'services: [', 'invalid-yaml'],
    ['an image without a version', 'postgres:18-bookworm', 'postgres', 'concrete version'],
    ['a port for everybody', "'127.0.0.1:3000:3000'", "'3000:3000'", 'no-unbound-port'],
    ['a port for the network', '127.0.0.1:3000', '0.0.0.0:3000', 'publishes 0.0.0.0:3000:3000'],
    ['a writable root', 'read_only: true', 'read_only: false', 'read_only is not true'],
    ['capabilities', '    cap_drop:\n      - ALL\n', '', 'cap_drop is not ["ALL"]'],
    ['rights that grow', 'no-new-privileges:true', 'no-new-privileges:false', 'security_opt is not'],
    ['no restart', 'restart: unless-stopped', "restart: 'no'", 'restart is not'],
    ['a coordinator for everybody', 'AUTH: required', "AUTH: 'off'", 'AUTH is not required'],
    [
      'no first secret',
      'AUTH_ADMIN_TOKEN_FILE:',
      'AUTH_METRICS_TOKEN_FILE:',
      'AUTH_ADMIN_TOKEN_FILE is not set',
    ],
    ['a setting that does not exist', 'SNAPSHOT_DIR', 'SNAPSHOTS_DIR', 'SNAPSHOTS_DIR is no setting'],
    [
      'a secret in the environment',
      'DATABASE_URL_FILE: /run/secrets/database-url',
      'DATABASE_URL: postgres://a:b@c/d',
      'DATABASE_URL is a secret',
    ],
    [
      'a path of another secret',
      '/run/secrets/database-url',
      '/run/secrets/database',
      'DATABASE_URL_FILE names no secret',
    ],
    [
      'a secret that is not declared',
      '\n  database-url:\n    file: ./secrets/database-url',
      '',
      'the secret database-url is not declared',
    ],
    [
      'a secret that Git keeps',
      './secrets/database-url',
      './database-url',
      'is not in ./secrets/database-url',
    ],
    ['a volume that is not declared', '- data:/data', '- dat:/data', 'the volume dat is not declared'],
    ['an image of a stranger', 'pull_policy: never', 'pull_policy: always', 'a stranger may publish'],
    ['a kill before the end', 'stop_grace_period: 15s', 'stop_grace_period: 10s', 'is killed before'],
  ])('finds %s', (_, right, wrong, fault) => {
    const planted = compose.replace(right, wrong)
    expect(planted).not.toBe(compose)
    expect(composeFaults(planted).join('\n')).toContain(fault)
  })
})
