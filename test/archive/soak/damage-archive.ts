import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Random } from './random.ts'

export const damages = ['missing', 'truncated', 'flipped', 'longer', 'foreign', 'doubled'] as const
export type Damage = (typeof damages)[number]

/** Damages one file of a copy of an archive. Returns its name. */
export async function damageCopy(
  { random, from, to }: { readonly random: Random; readonly from: string; readonly to: string },
  damage: Damage,
): Promise<string> {
  await rm(to, { recursive: true, force: true })
  await cp(from, to, { recursive: true })
  const names = await namesIn(to)
  const name = random.pick(names.filter((each) => !each.includes('/access/')))
  const path = join(to, name)
  const content = await readFile(path)
  if (damage === 'missing') await rm(path)
  if (damage === 'truncated')
    await writeFile(path, content.subarray(0, random.between(0, content.length - 1)))
  if (damage === 'flipped') {
    const at = random.between(0, content.length - 1)
    content[at] = (content[at] as number) ^ (1 << random.between(0, 7))
    await writeFile(path, content)
  }
  if (damage === 'longer') await writeFile(path, Buffer.concat([content, content]))
  if (damage === 'foreign') {
    // The content of another file of the same kind.
    const kind = name.split('/')[1] as string
    const others = names.filter((each) => each !== name && each.split('/')[1] === kind)
    if (others.length === 0) await writeFile(path, 'Somebody put another file here.')
    else await writeFile(path, await readFile(join(to, random.pick(others))))
  }
  if (damage === 'doubled') {
    // The same file once more, as if it were that of the next revision.
    await mkdir(dirname(join(to, doubleOf(name))), { recursive: true })
    await writeFile(join(to, doubleOf(name)), content)
  }
  return name
}

/** The name that looks like that of the next revision. */
export function doubleOf(name: string): string {
  return name.replace(/\d{16}/, (digits) => String(Number(digits) + 1).padStart(16, '0'))
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}
