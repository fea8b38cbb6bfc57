import { execFile } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { plainEnv, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { itWith } from '../../support/it-with.ts'
import { itWithKustomize } from './kustomize.ts'
import { type Content, overlays, readFolder, workloadOf } from './manifests.ts'

const execute = promisify(execFile)

const page = readFileSync('docs/kubernetes.md', 'utf8')
const [postgres, sqlite] = overlays
const objects = [...readFolder(postgres).objects, ...readFolder(sqlite).objects]

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  )
}

/** In place of a cluster: notes what it is asked for, and gives back the secret. */
const prelude = `set -euo pipefail
docker() { echo "docker $*" >> "$CALLS"; }
kubectl() {
  echo "kubectl $*" >> "$CALLS"
  case "$*" in
    "get secret"*) base64 < ../coordinator-secrets/admin-token ;;
    *"-f -") cat > "$CALLS.input" ;;
    *--dry-run=client*) echo "a secret" ;;
  esac
}
`

describe('docs/kubernetes.md', () => {
  itWith('bash', 'openssl')('has commands that work, and that name what there is', async () => {
    await using scratch = await scratchFolder()
    const checkout = join(scratch.path, 'checkout')
    const secrets = join(scratch.path, 'coordinator-secrets')
    const calls = join(scratch.path, 'calls')
    mkdirSync(checkout)
    symlinkSync(resolve('deploy'), join(checkout, 'deploy'))
    const run = async (block: string, env: Readonly<Record<string, string>> = {}) => {
      const script =
        prelude +
        block.replaceAll('npx coordinator', `'${process.execPath}' '${resolve('bin/coordinator.js')}'`)
      const done = execute('bash', ['-c', script], { cwd: checkout, env: plainEnv({ CALLS: calls, ...env }) })
      // Most commands do not read it.
      done.child.stdin
        ?.on('error', () => undefined)
        .end('postgres://coordinator:secret@postgres.example.org/coordinator\n')
      return (await done).stdout.trim()
    }
    const commands = blocks('sh')
    const firstRequest = commands.findIndex((block) => block.includes('npx coordinator'))
    for (const block of commands.slice(0, firstRequest)) await run(block)

    // The secret has the files that the settings name, and nothing else.
    const files = Object.values(readFolder(postgres).settings).flatMap(
      (value) => /^\/run\/secrets\/coordinator\/(.+)$/.exec(value)?.[1] ?? [],
    )
    expect(readdirSync(secrets)).toEqual(files.toSorted())

    await using coordinator = await serving({
      env: { AUTH: 'required', AUTH_ADMIN_TOKEN_FILE: join(secrets, 'admin-token') },
    })
    let shown = ''
    for (const block of commands.slice(firstRequest))
      shown += await run(block, { COORDINATOR_URL: coordinator.url })
    expect(shown).toContain('test')
    expect(shown).toContain(readFileSync(join(secrets, 'admin-token'), 'utf8').trim())
    expect(readFileSync(`${calls}.input`, 'utf8')).toBe('a secret\n')

    const asked = readFileSync(calls, 'utf8').trim().split('\n')
    expect(asked.length).toBeGreaterThan(15)
    expect(asked.flatMap(faultsOf)).toEqual([])
    expect(faultsOf('kubectl rollout status deployment/cordinator')).toEqual([
      'kubectl rollout status deployment/cordinator: no namespace',
      'kubectl rollout status deployment/cordinator: no deployment/cordinator',
    ])
    expect(faultsOf('kubectl apply -k deploy/kubernetes/overlay')).toHaveLength(1)
  })

  it('says which lines to change to run one coordinator', () => {
    expect(blocks('yaml').map((block) => parse(block))).toEqual([
      { replicas: [{ name: 'coordinator', count: 1 }] },
    ])
  })

  itWithKustomize('shows lines for one coordinator that Kustomize understands', async () => {
    await using scratch = await scratchFolder()
    const copy = join(scratch.path, 'kubernetes')
    cpSync('deploy/kubernetes', copy, { recursive: true })
    for (const block of blocks('yaml'))
      appendFileSync(join(copy, 'overlays/postgres/kustomization.yaml'), block)
    const { stdout } = await execute('kubectl', ['kustomize', join(copy, 'overlays/postgres')])
    const made: Content[] = parseAllDocuments(stdout).map((document) => document.toJS())
    expect(workloadOf(made).spec.replicas).toBe(1)
  })

  itWithKustomize('makes a secret with the files of a folder', async () => {
    const line = /^kubectl create secret (.+) --from-file=\S+$/m.exec(page)?.[1] ?? ''
    await using scratch = await scratchFolder()
    appendFileSync(join(scratch.path, 'admin-token'), 'secret\n')
    const args = [
      'create',
      'secret',
      ...line.split(' '),
      `--from-file=${scratch.path}`,
      '--dry-run=client',
      '--output',
      'yaml',
    ]
    const secret = parse((await execute('kubectl', args)).stdout)
    expect(secret).toMatchObject({
      metadata: { name: 'coordinator', namespace: 'coordinator' },
      data: { 'admin-token': Buffer.from('secret\n').toString('base64') },
    })
  })
})

/** What a command of the page names and is not there. */
function faultsOf(command: string): string[] {
  const faults: string[] = []
  const must = (holds: boolean, what: string) => {
    if (!holds) faults.push(`${command}: no ${what}`)
  }
  for (const [, file = ''] of command.matchAll(/ (?:-f|--file) (?!-)(\S+)/g)) must(existsSync(file), file)
  for (const [, folder = ''] of command.matchAll(/ -k (\S+)/g))
    must(existsSync(join(folder, 'kustomization.yaml')), folder)
  if (command.startsWith('docker')) {
    const { newName, newTag } = parse(readFileSync(`${postgres}/kustomization.yaml`, 'utf8')).images[0]
    must(command.includes(`${newName}:${newTag}`), `image ${newName}:${newTag}`)
    return faults
  }
  const isOfNamespace = !/^kubectl (apply|delete namespace coordinator)/.test(command)
  must(!isOfNamespace || command.includes(' --namespace coordinator'), 'namespace')
  for (const [, kind = '', name] of command.matchAll(/ (deployment|statefulset|service)\/(\S+)/g))
    must(
      objects.some((object) => object.kind.toLowerCase() === kind && object.metadata.name === name),
      `${kind}/${name}`,
    )
  for (const [, label = '', value = ''] of command.matchAll(/ --selector (\S+)=(\S+)/g))
    must(workloadOf(objects).spec.template.metadata.labels[label] === value, `pod with ${label}=${value}`)
  return faults
}
