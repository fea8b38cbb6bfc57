import { dirname } from 'node:path'

/**
 * The layers of `src/`. `rooms`: its folders, without those inside them, or single files; a file of one room imports only
 * from its own room and from those to its left. `to`: what a file of this layer may import besides.
 */
const layers = {
  errors: { rooms: ['src/errors.ts'], to: [] },
  text: { rooms: ['src/text'], to: ['errors'] },
  scheduling: { rooms: ['src/scheduling'], to: ['errors'] },
  collections: { rooms: ['src/collections'], to: [] },
  workers: { rooms: ['src/workers'], to: ['scheduling'] },
  telemetry: { rooms: ['src/telemetry/metrics', 'src/telemetry'], to: ['errors'] },
  config: { rooms: [['src/config', 'src/config/postgres']], to: ['text'] },
  records: {
    rooms: ['src/records', 'src/records/body', 'src/records/service', 'src/records/graph'],
    to: ['telemetry', 'config', 'scheduling', 'collections'],
  },
  store: {
    rooms: ['src/database', 'src/database/sql-functions', 'src/database/diagnosis'],
    to: ['records', 'workers'],
  },
  access: {
    rooms: [
      'src/access/scopes',
      'src/access/principal.ts',
      'src/access/jwt',
      'src/access/limits',
      'src/access',
    ],
    to: ['store'],
  },
  migrations: { rooms: ['src/database/migrations'], to: ['store'] },
  memory: { rooms: ['src/database/memory'], to: ['store'] },
  sqlite: { rooms: ['src/database/sqlite/file', 'src/database/sqlite'], to: ['migrations'] },
  postgres: { rooms: ['src/database/postgres'], to: ['migrations'] },
  supabase: { rooms: ['src/database/supabase'], to: ['migrations'] },
  open: { rooms: ['src/database/open.ts'], to: ['memory', 'sqlite', 'postgres', 'supabase'] },
  live: {
    rooms: [
      'src/live/questions',
      'src/live/memory',
      'src/live/state',
      'src/live/view',
      'src/live/following',
      'src/live/reading',
      'src/live/committing',
      'src/live',
      'src/live/writing',
    ],
    to: ['access'],
  },
  archive: {
    rooms: [
      'src/archive/format',
      'src/archive/destination',
      'src/archive/inventory',
      'src/archive/archiver',
      'src/archive/restore',
      'src/archive/move',
      'src/archive/snapshot',
    ],
    to: ['store'],
  },
  graph: {
    rooms: [
      'src/graph/model',
      'src/graph/derive',
      'src/graph/analysis',
      'src/graph/questions',
      'src/graph/export',
      'src/graph/simulate',
      'src/graph/asserted',
      'src/graph/warnings',
      'src/graph/past',
      'src/graph',
    ],
    to: ['live'],
  },
  registry: {
    rooms: [
      'src/registry/leases',
      'src/registry/index',
      'src/registry/answers',
      'src/registry/list',
      'src/registry',
    ],
    to: ['live'],
  },
  // A registration is stored by the registry, and judged by its place in the graph.
  registration: {
    rooms: [
      'src/registry/domain.ts',
      'src/registry/register-service.ts',
      'src/registry/register-batch.ts',
      'src/registry/registry.ts',
    ],
    to: ['registry', 'graph'],
  },
  http: {
    rooms: [
      'src/http/client',
      'src/http/reading',
      'src/http/sending',
      'src/http/answering',
      'src/http/streams',
      'src/http/routing',
      'src/http/lifecycle',
      'src/http/guard',
      'src/http/reference',
      'src/http/console',
      'src/http/routes',
      'src/http',
    ],
    to: ['registration', 'archive'],
  },
  cli: {
    rooms: [
      'src/cli/terminal',
      'src/cli/context',
      'src/cli/formats/reading',
      'src/cli/formats/compose',
      'src/cli/formats/kubernetes',
      'src/cli/formats/backstage',
      'src/cli/formats',
      'src/cli/import',
      'src/cli/graph',
      'src/cli/service',
      'src/cli/changes',
      'src/cli/completion',
      'src/cli/token',
      'src/cli/backup',
      'src/cli/move',
      'src/cli',
    ],
    to: ['http', 'open'],
  },
  main: {
    rooms: [
      'src/create-access.ts',
      'src/create-archiver.ts',
      'src/create-snapshots.ts',
      'src/coordinator.ts',
      'src/index.ts',
      'src/main.ts',
    ],
    to: ['cli'],
  },
} satisfies Record<string, { rooms: readonly (string | readonly string[])[]; to: readonly string[] }>

type Layer = keyof typeof layers

interface Place {
  readonly layer: Layer
  readonly room: number
}

function placeOf(file: string): Place | undefined {
  // A file that is named itself belongs to that layer, and not to the layer of its folder.
  for (const room of [file, dirname(file)]) {
    for (const layer of Object.keys(layers) as Layer[]) {
      const rooms: readonly (string | readonly string[])[] = layers[layer].rooms
      const index = rooms.findIndex((at) => (typeof at === 'string' ? at === room : at.includes(room)))
      if (index >= 0) return { layer, room: index }
    }
  }
  return undefined
}

/** The layer of a source file, given from the root of the repository; `undefined` for one that has none. */
export function layerOf(file: string): Layer | undefined {
  return placeOf(file)?.layer
}

function reaches(from: Layer, to: Layer): boolean {
  return (layers[from].to as readonly Layer[]).some((next) => next === to || reaches(next, to))
}

/** Whether the one file may import the other. */
export function mayImport(from: string, to: string): boolean {
  const [place, target] = [placeOf(from), placeOf(to)]
  if (to === 'package.json') return true
  if (place === undefined || target === undefined) return false
  return place.layer === target.layer ? target.room <= place.room : reaches(place.layer, target.layer)
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
