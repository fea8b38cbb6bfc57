/** The layers of `src/`. `to`: what a file of this layer may import, besides its own layer. */
const layers = {
  errors: { files: /^src\/errors\.ts$/, to: [] },
  telemetry: { files: /^src\/telemetry\//, to: ['errors'] },
  config: { files: /^src\/config\//, to: ['errors'] },
  records: { files: /^src\/records\//, to: ['telemetry', 'config'] },
  store: { files: /^src\/database\/(diagnosis\/|(?!open\.ts$)[^/]+\.ts$)/, to: ['records'] },
  migrations: { files: /^src\/database\/migrations\//, to: ['store'] },
  backend: { files: /^src\/database\/(memory|sqlite|postgres|supabase)\//, to: ['migrations'] },
  open: { files: /^src\/database\/open\.ts$/, to: ['backend'] },
  live: { files: /^src\/live\//, to: ['store'] },
  registry: { files: /^src\/registry\//, to: ['live'] },
  graph: { files: /^src\/graph\//, to: ['live'] },
  http: { files: /^src\/http\//, to: ['registry', 'graph'] },
  cli: { files: /^src\/cli\//, to: ['http', 'open'] },
  main: { files: /^src\/(main|index|coordinator)\.ts$/, to: ['cli'] },
} satisfies Record<string, { files: RegExp; to: readonly string[] }>

type Layer = keyof typeof layers

/** The layer of a source file, given from the root of the repository; `undefined` for one that has none. */
export function layerOf(file: string): Layer | undefined {
  return (Object.keys(layers) as Layer[]).find((layer) => layers[layer].files.test(file))
}

function reaches(from: Layer, to: Layer): boolean {
  return (layers[from].to as readonly Layer[]).some((next) => next === to || reaches(next, to))
}

/** Whether the one file may import the other. Two backends are strangers to each other, though both are one layer. */
export function mayImport(from: string, to: string): boolean {
  const [layer, target] = [layerOf(from), layerOf(to)]
  if (to === 'package.json') return true
  if (layer === undefined || target === undefined) return false
  if (layer !== target) return reaches(layer, target)
  return layer !== 'backend' || from.split('/')[2] === to.split('/')[2]
}

const imports = [
  /^\s*(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
]

/** Every module that a source text names, types included. Reads the text as Biome formats it. */
export function importsOf(source: string): string[] {
  return imports.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1] ?? ''))
}
