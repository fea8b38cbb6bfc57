import { globSync } from 'node:fs'

/** What may be in the package, and nothing else. */
const allowed = [
  /^(package\.json|README\.md|LICENSE|(AGENTS|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$/,
  /^bin\/[\w-]+\.js$/,
  /^deploy\/coordinator\.(env|service)$/,
  /^deploy\/high-availability\/[\w-]+\.(yml|cfg)$/,
  /^deploy\/kubernetes\/.+\.(yaml|env)$/,
  /^deploy\/(grafana\/[\w-]+\.json|prometheus\/[\w.]+\.ya?ml)$/,
  /^examples\/.+\.(sh|json|yaml)$/,
  /^docs\/.+\.(md|png|schema\.json)$/,
  /^dist\/src\/.+\.(js|d\.ts|sql)$/,
  /^dist\/test\/conformance\/.+\.(js|d\.ts)$/,
  /^dist\/console\/(index\.html|licenses\.txt(\.gz)?|assets\/[\w.-]+\.(js|css|svg)(\.gz)?)$/,
  // The program asks it for its version.
  /^dist\/package\.json$/,
]

/** @throws Error naming what is missing, and what should not be there */
export function checkFiles(files: readonly string[]): void {
  const wanted = [
    'package.json',
    'README.md',
    'LICENSE',
    ...['AGENTS.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
    'bin/coordinator.js',
    'bin/require-node.js',
    'deploy/coordinator.env',
    'deploy/coordinator.service',
    ...globSync('deploy/kubernetes/**/*.{yaml,env}'),
    ...globSync('deploy/{grafana,high-availability,prometheus}/*'),
    'dist/console/index.html',
    'dist/console/licenses.txt',
    ...globSync('docs/**/*.{md,png,schema.json}'),
    ...globSync('examples/**/*.{sh,json,yaml}'),
    ...globSync('src/**/*.sql').map((file) => `dist/${file}`),
    ...globSync(['src/**/*.ts', 'test/conformance/**/*.ts'])
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`),
    'dist/src/index.d.ts',
    'dist/test/conformance/index.d.ts',
  ].map((file) => file.replaceAll('\\', '/'))
  const missing = wanted.filter((file) => !files.includes(file))
  const unexpected = files.filter((file) => !allowed.some((pattern) => pattern.test(file)))
  if (missing.length > 0) throw new Error(`not in the package: ${missing.join(', ')}`)
  if (unexpected.length > 0) throw new Error(`should not be in the package: ${unexpected.join(', ')}`)
}
