import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DCLinter } from 'dclint'
import { parse } from 'yaml'
import { variablesOf } from '../../src/config/given-text.ts'
import type { Setting } from '../../src/config/setting.ts'
import { settingsTable } from '../../src/config/table.ts'

interface ComposeService {
  readonly image?: string
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly [key: string]: unknown
}

/** What `dclint` finds; its own declarations name files that it does not ship. */
interface Finding {
  readonly line: number
  readonly message: string
  readonly rule: string
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes?: Readonly<Record<string, unknown>>
  readonly secrets?: Readonly<Record<string, { readonly file?: string } | null>>
}

/** What keeps a container apart from its machine, and lets it end in peace. */
const hardening: Readonly<Record<string, unknown>> = {
  restart: 'unless-stopped',
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
}

const settings: ReadonlySet<string> = new Set(
  Object.values(settingsTable).flatMap((section) =>
    Object.values<Setting<unknown>>(section).flatMap(variablesOf),
  ),
)

/** What is wrong with a compose file: the findings of `dclint`, which knows the schema of such files, and what ours must hold besides. */
export function composeFaults(text: string): string[] {
  const findings = lint(text)
  if (findings.length > 0) return findings
  const file: ComposeFile = parse(text)
  return [
    ...Object.entries(file.services).flatMap(([name, service]) =>
      [
        ...hardeningFaults(service),
        ...portFaults(service),
        ...secretFaults(service, file),
        ...volumeFaults(service, file),
      ].map((fault) => `${name}: ${fault}`),
    ),
    ...coordinatorFaults(file.services['coordinator']),
    ...secretFileFaults(file),
  ]
}

function lint(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-compose-'))
  try {
    const path = join(folder, 'compose.yaml')
    writeFileSync(path, text)
    const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] })
    const results: readonly { messages: readonly Finding[] }[] = linter.lintFiles([path], false)
    const findings = results.flatMap(({ messages }) => messages)
    return findings.map(({ line, message, rule }) => `line ${line}: ${message} (${rule})`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function hardeningFaults(service: ComposeService): string[] {
  const different = Object.entries(hardening).filter(
    ([key, value]) => JSON.stringify(service[key]) !== JSON.stringify(value),
  )
  return different.map(([key, value]) => `${key} is not ${JSON.stringify(value)}`)
}

function portFaults({ ports = [] }: ComposeService): string[] {
  return ports
    .filter((port) => !port.startsWith('127.0.0.1:'))
    .map((port) => `publishes ${port} to other machines`)
}

/** A secret is in a file: an environment is shown by `docker inspect`. */
function secretFaults({ environment = {}, secrets = [] }: ComposeService, file: ComposeFile): string[] {
  const needed = Object.entries(environment).filter(([name]) => name.endsWith('_FILE'))
  const paths = secrets.map((name) => `/run/secrets/${name}`)
  return [
    ...Object.entries(environment)
      .filter(([name, value]) => /(PASSWORD|TOKEN|KEY|SECRET)$/.test(name) || /:\/\/[^/]*:[^/]*@/.test(value))
      .map(([name]) => `${name} is a secret in the environment`),
    ...needed
      .filter(([, path]) => !paths.includes(path))
      .map(([name]) => `${name} names no secret of the service`),
    ...secrets
      .filter((name) => !(name in (file.secrets ?? {})))
      .map((name) => `the secret ${name} is not declared`),
  ]
}

function volumeFaults({ volumes = [] }: ComposeService, file: ComposeFile): string[] {
  return volumes
    .map((volume) => volume.split(':')[0] ?? '')
    .filter((name) => !(name in (file.volumes ?? {})))
    .map((name) => `the volume ${name} is not declared`)
}

function coordinatorFaults(service: ComposeService | undefined): string[] {
  if (service === undefined) return ['has no coordinator']
  const environment = service.environment ?? {}
  return [
    ...Object.keys(environment)
      .filter((name) => !settings.has(name))
      .map((name) => `${name} is no setting`),
    ...(environment['AUTH'] === 'required' ? [] : ['AUTH is not required']),
    ...('AUTH_ADMIN_TOKEN_FILE' in environment
      ? []
      : ['nobody can use it: AUTH_ADMIN_TOKEN_FILE is not set']),
    ...(service.image === undefined || service['pull_policy'] === 'never'
      ? []
      : ['a stranger may publish its image']),
    // The coordinator itself takes as long as SHUTDOWN_TIMEOUT_MS.
    ...(secondsOf(service['stop_grace_period']) > settingsTable.server.shutdownTimeoutMs.default / 1_000
      ? []
      : ['it is killed before it has answered its requests']),
  ]
}

function secondsOf(duration: unknown): number {
  return Number(/^(\d+)s$/.exec(String(duration))?.[1] ?? 0)
}

/** Git ignores only this folder. */
function secretFileFaults({ secrets = {} }: ComposeFile): string[] {
  const ignored = readFileSync('.gitignore', 'utf8').split('\n').includes('/deploy/secrets/')
  return [
    ...(ignored ? [] : ['Git does not ignore deploy/secrets']),
    ...Object.entries(secrets)
      .filter(([name, secret]) => secret?.file !== `./secrets/${name}`)
      .map(([name]) => `the secret ${name} is not in ./secrets/${name}`),
  ]
}
