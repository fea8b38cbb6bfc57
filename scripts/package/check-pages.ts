import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { consumerEnv, run } from './run.ts'
import { servedUrl } from './serve.ts'

/** npm takes the packages from its cache if it can, and does not ask for advisories. */
const quickNpm = { npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' }

/** The commands of a page, one text for each block. */
export function commandsOf(page: string): readonly string[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)
  return [...blocks].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )
}

/** The only block of a page that has these words. @throws Error if there is none, or another one */
export function commandWith(page: string, words: string): string {
  const [block, another] = commandsOf(page).filter((text) => text.includes(words))
  if (block === undefined || another !== undefined) throw new Error(`${page} has not one block with ${words}`)
  return block
}

/** Runs the commands of a page in a folder, as its reader would. @returns what they print */
export function runCommands(folder: string, block: string): Promise<string> {
  return run('sh', ['-euc', block], { cwd: folder, env: consumerEnv(quickNpm), timeoutMs: 240_000 })
}

/** Makes the folder that docs/install.md begins with: empty, but for the package. */
export function createServerFolder(folder: string, archive: string): void {
  mkdirSync(folder)
  copyFileSync(archive, join(folder, basename(archive)))
}

/** Copies the files of the checkout that Git knows, as a clone would have them. */
export function cloneCheckout(folder: string): void {
  const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0')
  for (const file of files) if (file !== '') cpSync(file, join(folder, file))
}

/** Starts a coordinator with the last line of a block, sends the request of the page, and stops it. */
export async function serveAndAsk(folder: string, block: string): Promise<void> {
  const ask = commandWith('docs/install.md', 'curl ')
  // `exec`, so that the signal reaches Node.js itself.
  const line = (block.trim().split('\n').at(-1) ?? '').replace(/(?<= |^)node /, 'exec node ')
  const child = spawn('sh', ['-euc', line], {
    cwd: folder,
    env: consumerEnv({ PORT: '0', LOG_FORMAT: 'json', AUTH: '' }),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), 60_000)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve)).finally(() =>
    clearTimeout(timer),
  )
  const url = await servedUrl(child.stdout)
  const [, path = ''] = /^curl http:\/\/127\.0\.0\.1:3000(\/\S+)$/m.exec(ask) ?? []
  const answer = await (await fetch(url + path)).text()
  child.kill('SIGTERM')
  const code = await ended
  if (!answer.includes('"status":"ok"')) throw new Error(`GET ${path} answered ${answer}`)
  if (code !== 0) throw new Error(`SIGTERM ended it with ${code}`)
}
