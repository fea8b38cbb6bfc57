import { globSync, lstatSync } from 'node:fs'
import { join } from 'node:path'

const megabyte = 1_048_576
/** File systems give space in blocks of this size. */
const blockBytes = 4_096

/**
 * Measures an installation as `du` does: every file and folder takes whole blocks.
 *
 * @returns its size in MiB, in whole blocks and as the sum of its files
 * @throws Error if it is larger than `maxMiB`, naming the largest packages
 */
export function checkSize(
  folder: string,
  maxMiB: number,
): { readonly blocks: number; readonly files: number } {
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
  if (blocks <= maxMiB) return { blocks, files }
  const packages = Map.groupBy(
    sizes,
    ({ path }) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? '',
  )
  const largest = [...packages]
    .map(([name, of]) => ({ name, size: sumOf(of.map((each) => each.blocks)) / megabyte }))
    .sort((a, b) => b.size - a.size)
    .slice(0, 10)
  const list = largest.map(({ name, size }) => `${name} ${size.toFixed(1)}`).join(', ')
  throw new Error(`the installation takes ${blocks.toFixed(1)} MiB, and ${maxMiB} are allowed: ${list}`)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
