import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A link of Markdown, up to the fragment. */
const link = /\]\(([^()\s#]+)(?:#[^()\s]*)?\)/g

/**
 * Follows the links between the documents of an installed package.
 *
 * @returns how many there are
 * @throws Error naming those that lead nowhere
 */
export function checkLinks(folder: string): number {
  const links = globSync('**/*.md', { cwd: folder, exclude: ['node_modules/**'] }).flatMap((page) => {
    const targets = readFileSync(join(folder, page), 'utf8').matchAll(link)
    return [...targets].map(([, target = '']) => ({ page, target }))
  })
  const inside = links.filter(({ target }) => !/^[a-z]+:/i.test(target))
  const broken = inside.filter(({ page, target }) => !existsSync(join(folder, dirname(page), target)))
  if (inside.length === 0) throw new Error(`${folder} has no document with a link`)
  if (broken.length > 0)
    throw new Error(
      `links that lead nowhere: ${broken.map(({ page, target }) => `${page}: ${target}`).join(', ')}`,
    )
  return inside.length
}
