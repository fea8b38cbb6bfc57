import { globSync, lstatSync } from 'node:fs'
import { join } from 'node:path'

const megabyte = 1_048_576
/** File systems give space in blocks of this size. */
const blockBytes = 4_096

/** The size of an installation in MiB. */
export interface Size {
  /** The sum of its files, as `du --apparent-size` shows it: what a copy or an image of it takes. */
  readonly files: number
  /** What it takes on a disk, as `du` shows it: every file and folder takes whole blocks. */
  readonly blocks: number
}

/** @throws Error if the installation is larger than allowed, naming the largest packages */
export function checkSize(folder: string, max: Size): Size {
  const sizes = globSync('node_modules/**', { cwd: folder }).map((path) => {
    const stat = lstatSync(join(folder, path))
    return {
      path,
      blocks: Math.max(1, Math.ceil(stat.size / blockBytes)) * blockBytes,
      files: stat.isFile() ? stat.size : 0,
    }
  })
  const blocks = sumOf(sizes.map((each) => each.blocks)) / megabyte
  const files = sumOf(sizes.map((each) => each.files)) / megabyte
  if (files <= max.files && blocks <= max.blocks) return { blocks, files }
  const packages = Map.groupBy(
    sizes,
    ({ path }) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? '',
  )
  const largest = [...packages]
    .map(([name, of]) => ({ name, size: sumOf(of.map((each) => each.blocks)) / megabyte }))
    .sort((a, b) => b.size - a.size)
    .slice(0, 10)
  const list = largest.map(({ name, size }) => `${name} ${size.toFixed(1)}`).join(', ')
  throw new Error(
    `the installation has ${files.toFixed(1)} MiB of files and takes ${blocks.toFixed(1)} MiB on the disk; ${max.files} and ${max.blocks} are allowed: ${list}`,
  )
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
