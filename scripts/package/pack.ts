import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { buildInto } from '../build-into.ts'
import { run } from './run.ts'

export interface Packed {
  /** Absolute path of the archive. */
  readonly archive: string
  readonly files: readonly string[]
  /** Of the archive, in bytes. */
  readonly size: number
}

/** Makes the package as it would be published, in a folder of its own: nothing in the checkout is written. */
export async function pack(folder: string): Promise<Packed> {
  const stage = join(folder, 'stage')
  await buildInto(join(stage, 'dist'))
  for (const item of [...packageJson.files, 'package.json', 'LICENSE', 'README.md'])
    if (item !== 'dist' && existsSync(item)) cpSync(item, join(stage, item), { recursive: true })
  const output = await run('npm', ['pack', '--json', '--ignore-scripts'], { cwd: stage })
  const [packed] = JSON.parse(output) as [{ filename: string; size: number; files: { path: string }[] }]
  return {
    archive: join(stage, packed.filename),
    files: packed.files.map(({ path }) => path),
    size: packed.size,
  }
}
