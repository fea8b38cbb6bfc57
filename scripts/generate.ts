import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { documents } from './generate/documents.ts'

/**
 * Writes every generated document; with `--check` it writes nothing and fails, naming the stale ones.
 * A new one is one line in `generate/documents.ts`.
 */
const check = process.argv.includes('--check')
const stale: string[] = []
for (const { path, render } of documents) {
  const text = await render()
  const known = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (known === text) continue
  stale.push(path)
  if (!check) writeFileSync(path, text)
}

if (!check) {
  process.stdout.write(
    stale.length === 0 ? 'generated documents: all current\n' : `wrote ${stale.join(', ')}\n`,
  )
} else if (stale.length > 0) {
  process.stderr.write(`stale: ${stale.join(', ')}. Run \`npm run gen\`.\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`generated documents: ${documents.length} current\n`)
}
