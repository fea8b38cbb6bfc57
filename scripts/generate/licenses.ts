import { readFileSync } from 'node:fs'

interface Locked {
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  /** Wanted beside something, but not brought by it. */
  readonly peer?: boolean
}

/** Licenses that let anybody use, change and pass on the package with its license text beside it. */
const permissive: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'],
])

/**
 * `docs/licenses.md`: the packages of others that `npm install --omit=dev` installs.
 *
 * @throws Error naming packages whose license is none of the permissive ones
 */
export function renderLicenses(): string {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }
  const shipped = Object.entries(lock.packages)
    .filter(([path, { dev, peer }]) => path !== '' && dev !== true && peer !== true)
    .map(([path, entry]) => ({ ...entry, name: path.slice(path.lastIndexOf('node_modules/') + 13) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const others = shipped.filter(({ license = '' }) => !permissive.has(license))
  if (others.length > 0)
    throw new Error(`not permissive: ${others.map(({ name, license }) => `${name} (${license})`).join(', ')}`)
  const rows = new Set(
    shipped.map(({ name, version, license }) => `| \`${name}\` | ${version} | ${license} |`),
  )
  return `<!-- Generated from package-lock.json by \`npm run gen\`: change it there. -->

# Licenses of the installed packages

The coordinator itself has the license [Apache-2.0](../LICENSE). \`npm install --omit=dev\` also installs these packages. Each has the text of its
license in its folder below \`node_modules\`. The console contains packages, too: a coordinator shows their licenses at
\`/console/licenses.txt\`.

| package | version | license |
|---|---|---|
${[...rows].join('\n')}
`
}
