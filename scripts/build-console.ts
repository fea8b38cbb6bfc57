import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

/** Smaller files fit into one packet as they are. */
const COMPRESSED_MIN_BYTES = 1_024

/**
 * Builds the console into an empty folder. Each file has a compressed one beside it, so that no coordinator has to compress anything.
 *
 * @param folder where its index.html will be
 */
export async function buildConsole(folder: string): Promise<void> {
  const outDir = resolve(folder)
  // Vite takes this over into the libraries. In a test it would be `test`, and the console another one.
  const { NODE_ENV } = process.env
  process.env['NODE_ENV'] = 'production'
  try {
    await build({ configFile: join(import.meta.dirname, '../console/vite.config.ts'), build: { outDir } })
  } finally {
    if (NODE_ENV === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = NODE_ENV
  }
  for (const name of globSync('{licenses.txt,assets/*.{js,css,svg}}', { cwd: outDir })) {
    const file = join(outDir, name)
    const bytes = readFileSync(file)
    if (bytes.length >= COMPRESSED_MIN_BYTES) writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
  }
}
