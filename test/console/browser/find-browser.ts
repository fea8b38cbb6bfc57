import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import packageJson from '../../../package.json' with { type: 'json' }

const run = promisify(execFile)

/** A Chromium that starts on this machine. */
export interface FoundBrowser {
  readonly executablePath: string
  readonly env: Record<string, string>
}

/**
 * Finds a Chromium: the one in the variable `CHROMIUM`, the one that npm installed (x64 only), or the one of the system.
 *
 * @returns the reason if none starts here
 * @throws Error if the one in the variable does not start: somebody wanted that one
 */
export async function findBrowser(): Promise<FoundBrowser | string> {
  const wanted = process.env['CHROMIUM']
  if (wanted !== undefined && wanted !== '') {
    const found = await startable(wanted)
    if (found === undefined) throw new Error(`CHROMIUM is ${wanted}, which does not start.`)
    return found
  }
  const installed = process.arch === 'x64' && process.platform === 'linux' ? await unpacked() : undefined
  const candidates = [installed, '/usr/bin/chromium'].filter((path) => path !== undefined && existsSync(path))
  for (const path of candidates as string[]) {
    const found = await startable(path)
    if (found !== undefined) return found
  }
  return candidates.length === 0 ? 'no Chromium' : `${candidates.join(' and ')} cannot start`
}

async function startable(executablePath: string): Promise<FoundBrowser | undefined> {
  const folder = join(executablePath, '..')
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') }
  // Its package has the libraries that a small system may be without.
  const libraries = { LD_LIBRARY_PATH: join(folder, 'al2023/lib') }
  for (const added of [fonts, { ...fonts, ...libraries }]) {
    const env = { ...(process.env as Record<string, string>), ...added }
    const started = await run(executablePath, ['--version'], { env, timeout: 30_000 }).then(
      () => true,
      () => false,
    )
    if (started) return { executablePath, env }
  }
  return undefined
}

/**
 * Unpacks the Chromium of the package, into a folder of its version. The package unpacks into TMPDIR, and takes whatever it finds there:
 * two processes would start a half of it. So each unpacks into a folder of its own, and the first one to be done keeps it.
 */
async function unpacked(): Promise<string | undefined> {
  const caches = resolve('node_modules/.cache')
  const folder = join(caches, `chromium-${packageJson.devDependencies['@sparticuz/chromium']}`)
  const executable = join(folder, 'chromium')
  if (existsSync(executable)) return executable
  await mkdir(caches, { recursive: true })
  const own = await mkdtemp(`${folder}-`)
  const { TMPDIR } = process.env
  try {
    process.env['TMPDIR'] = own
    const { default: chromium, inflate } = await import('@sparticuz/chromium')
    await chromium.executablePath()
    await inflate(resolve('node_modules/@sparticuz/chromium/bin/al2023.tar.br'))
    await rename(own, folder)
  } catch (error) {
    // Somebody else was first.
    if (!existsSync(executable)) throw error
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
    await rm(own, { recursive: true, force: true })
  }
  return executable
}
