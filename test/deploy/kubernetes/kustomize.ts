import { execFileSync } from 'node:child_process'
import { isInstalled, itUnless } from '../../support/it-with.ts'

/** The Kustomize in `kubectl` says its version since 1.24; older ones cannot read these folders. */
function kustomizeFault(): string | undefined {
  if (!isInstalled('kubectl')) return 'kubectl not installed'
  const versions = execFileSync('kubectl', ['version', '--client', '--output', 'json'], { encoding: 'utf8' })
  return versions.includes('kustomizeVersion') ? undefined : 'kubectl is older than 1.24'
}

/** `it` for tests that compare with Kustomize itself. */
export const itWithKustomize = itUnless(kustomizeFault())
