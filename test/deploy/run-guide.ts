import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../scripts/package/run.ts'

/** A command that fails ends the block. */
const prelude = `set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
`

/** What the build of the image reads, and what the guide names. */
const parts = readFileSync('.dockerignore', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1))
  .filter((part) => !part.includes('*'))

/**
 * Copies what a guide about containers needs of the checkout, with another port in place of 3000.
 *
 * @param folder an empty one
 */
export function copyCheckout(folder: string, port: number): void {
  const files = [...parts, '.dockerignore', 'tsconfig.json', 'tsconfig.build.json', 'deploy']
  for (const part of files) {
    const skips = (path: string) => /node_modules|deploy\/secrets/.test(path)
    cpSync(part, join(folder, part), { recursive: true, filter: (path) => !skips(path) })
  }
  for (const name of ['compose.yaml', 'compose.sqlite.yaml']) {
    const path = join(folder, 'deploy', name)
    writeFileSync(path, withPort(readFileSync(path, 'utf8'), port))
  }
}

function withPort(text: string, port: number): string {
  return text.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
}

/** The commands of a document, by the heading above them. */
export function commandsOf(path: string): Map<string, string[]> {
  const sections = readFileSync(path, 'utf8').split(/^## /m)
  return new Map(
    sections.map((section) => [
      section.split('\n', 1)[0] ?? '',
      [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? ''),
    ]),
  )
}

export interface GuideRun {
  readonly folder: string
  readonly port: number
  readonly env: NodeJS.ProcessEnv
}

/** Runs one block of commands as a reader would. @returns what it wrote to standard output */
export function runBlock(block: string, { folder, port, env }: GuideRun): Promise<string> {
  const args = ['-c', prelude + withPort(block, port)]
  return run('bash', args, { cwd: folder, env, timeoutMs: 600_000 })
}
