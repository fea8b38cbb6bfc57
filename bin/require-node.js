// Plain JavaScript that any Node.js can parse: it runs before the first TypeScript file, which an old Node.js would
// refuse with ERR_UNKNOWN_FILE_EXTENSION. npm puts the pinned Node.js first on the PATH of its scripts; where that one
// was not installed (`--omit=dev`, `--ignore-scripts`), the machine's own runs without a word.
import { existsSync } from 'node:fs'

const wanted = 24
const root = new URL('../', import.meta.url)
const checkout = existsSync(new URL('src/main.ts', root))

/** @type {string | undefined} */
let fault
if (Number.parseInt(process.versions.node, 10) < wanted) {
  const pinned = existsSync(new URL('node_modules/node/bin/node', root))
  const repair = !checkout
    ? `install Node.js ${wanted} or newer`
    : pinned
      ? 'start it by `npm start` or `npx coordinator`, which use the pinned one'
      : `run \`npm ci\` (without --omit=dev and --ignore-scripts), which installs the pinned one, or install Node.js ${wanted}`
  fault = `Node.js ${process.versions.node} is too old, ${wanted} or newer is needed: ${repair}.`
} else if (checkout && !existsSync(new URL('node_modules/fastify', root))) {
  fault = 'the dependencies are not installed: run `npm ci`.'
}

if (fault !== undefined) {
  process.stderr.write(`coordinator: ${fault}\n`)
  process.exit(78)
}
