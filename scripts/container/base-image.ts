import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../package/run.ts'
import type { ContainerEngine } from './engine.ts'

const mirror = 'http://deb.debian.org/debian'
const extraAuthorities = '/etc/ssl/certs/extra-authorities.pem'

/**
 * Makes a substitute for the image of Node.js, for machines that reach no registry: Debian by `debootstrap`, with the Node.js and the npm that
 * run this script. It trusts the certificate authorities that npm needs on this machine, so the Dockerfile need not know them.
 *
 * @param name the name under which the Dockerfile asks for it
 */
export async function makeBaseImage(engine: ContainerEngine, name: string): Promise<void> {
  const root = join(engine.folder, 'base')
  await run('debootstrap', ['--variant=minbase', 'bookworm', root, mirror], { timeoutMs: 600_000 })
  for (const unneeded of ['var/cache/apt', 'var/lib/apt/lists'])
    rmSync(join(root, unneeded), { recursive: true })
  await addNode(root)
  await run('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node'])
  const authorities = process.env['NODE_EXTRA_CA_CERTS']
  if (authorities !== undefined) cpSync(authorities, join(root, extraAuthorities))
  const archive = join(engine.folder, 'base.tar')
  await run('tar', ['--create', '--numeric-owner', '--directory', root, '--file', archive, '.'])
  const trust = authorities === undefined ? [] : ['--change', `ENV NODE_EXTRA_CA_CERTS=${extraAuthorities}`]
  await engine.podman(['import', '--quiet', '--change', 'CMD node', ...trust, archive, name], 120_000)
  rmSync(archive)
  rmSync(root, { recursive: true })
}

/** Node.js and npm at the places where the image of Node.js has them. */
async function addNode(root: string): Promise<void> {
  cpSync(process.execPath, join(root, 'usr/local/bin/node'))
  const modules = join(root, 'usr/local/lib/node_modules')
  mkdirSync(modules, { recursive: true })
  cpSync(await npmFolder(), join(modules, 'npm'), { recursive: true })
  for (const program of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, join(root, 'usr/local/bin', program))
}

async function npmFolder(): Promise<string> {
  const npm = (await run('sh', ['-c', 'command -v npm'])).trim()
  const folder = dirname(dirname(realpathSync(npm)))
  if (!existsSync(join(folder, 'bin/npm-cli.js'))) throw new Error(`${npm} is not the npm of a Node.js`)
  return folder
}
