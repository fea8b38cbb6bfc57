import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

/** Writes `licenses.txt`: the licence of every package that has a module in the build, also of those in workers. */
export function bundledLicenses(): { inMain(): Plugin; inWorker(): Plugin } {
  const folders = new Set<string>()
  const note = (chunks: readonly { readonly type: string; readonly moduleIds?: readonly string[] }[]) => {
    for (const { moduleIds = [] } of chunks) {
      for (const id of moduleIds) {
        // The last `node_modules` is the nearest package.
        const folder = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id)?.[1]
        if (folder !== undefined) folders.add(folder.replaceAll('\0', ''))
      }
    }
  }
  return {
    inWorker: () => ({
      name: 'coordinator:licenses-of-workers',
      generateBundle: (_, bundle) => note(Object.values(bundle)),
    }),
    inMain: () => ({
      name: 'coordinator:licenses',
      generateBundle(_, bundle) {
        note(Object.values(bundle))
        const texts = [...folders].map(licenseOf).sort()
        this.emitFile({
          type: 'asset',
          fileName: 'licenses.txt',
          source: texts.join(`\n${'-'.repeat(80)}\n\n`),
        })
      },
    }),
  }
}

/** @throws Error if the package has no text of its licence: then somebody must decide what to ship */
function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const [file] = globSync('{LICENSE,LICENCE,license}{,.txt,.md}', { cwd: folder })
  if (file === undefined) throw new Error(`${name} has no file with its licence`)
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}
