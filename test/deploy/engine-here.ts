import { spawnSync } from 'node:child_process'
import { isInstalled } from '../support/it-with.ts'

const programs = ['podman', 'podman-compose', 'runc', 'debootstrap', 'bash', 'curl', 'openssl']

/** Why containers can be neither built nor run on this machine; `undefined` if they can. */
export function reasonForNoContainers(): string | undefined {
  const missing = programs.filter((program) => !isInstalled(program))
  if (missing.length > 0) return `${missing.join(' and ')} not installed`
  if (process.getuid?.() !== 0) return 'needs root, as debootstrap does'
  const { status } = spawnSync('unshare', ['--mount', '--pid', '--net', '--fork', 'true'])
  return status === 0 ? undefined : 'this machine lets nobody make namespaces'
}
