import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { run } from './run.ts'

const compilerOptions = {
  module: 'nodenext',
  target: 'es2024',
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  types: ['node'],
}

/** What a TypeScript program of somebody else does with the library. */
const library = `import {
  type Coordinator,
  CoordinatorError,
  createCoordinator,
  type KnowledgeGraph,
  type RegisterAnswer,
  type Registration,
  type RegistrationInput,
  type ServiceAnswer,
  type Store,
} from '@coordinator/server'

const coordinator: Coordinator = await createCoordinator({ port: 0 })
await coordinator.start()
const answer = await fetch(coordinator.url + '/register', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ serviceName: 'consumer', version: '1.0.0', endpoint: 'http://consumer:1' }),
})
const store: Store = coordinator.live.store
const services: number = coordinator.registry.counts().services
if (answer.status !== 201 || store.backend !== 'memory' || services !== 1)
  throw new Error('answered ' + answer.status + ': ' + (await answer.text()))

const sent: RegistrationInput = { serviceName: 'shop', version: '1.0.0', endpoint: 'http://shop:1', dependencies: ['bank'] }
// @ts-expect-error a version is a text
const wrong: RegistrationInput = { ...sent, version: 1 }
const registered: RegisterAnswer = await coordinator.registry.register(sent)
const service: ServiceAnswer = coordinator.registry.get(registered.serviceId)
const stored = JSON.parse(service.json) as Registration
const graph: KnowledgeGraph = coordinator.graph
const needed = await graph.ask({ ask: 'dependencies', of: 'service:shop' })
const refused = await coordinator.registry.register(wrong).then(() => 'accepted', String)
await coordinator.stop()
const seen = [registered.warnings[0]?.code, stored.healthCheck, needed.revision, refused]
if (seen.join() !== 'unknown_dependency,/health,2,CoordinatorError: /version must be a string, not a number.')
  throw new Error('the library answered ' + seen.join())
try {
  await createCoordinator({ env: { SUPABASE_URL: 'https://project.supabase.co' } })
  throw new Error('half a configuration was accepted')
} catch (thrown) {
  if (!(thrown instanceof CoordinatorError) || thrown.code !== 'COORD_CONFIG_INCOMPLETE') throw thrown
}
`

/** Makes an empty project, with nothing of the checkout in it. */
export function createConsumer(folder: string): void {
  mkdirSync(folder)
  write(folder, 'package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  write(folder, 'tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  write(folder, 'library.ts', library)
  write(folder, 'readme.ts', readmeProgram())
}

/** Runs the library, and checks its types as a strict program of somebody else would. */
export async function checkLibrary(folder: string): Promise<void> {
  // A stranger brings the types of Node.js along.
  link(folder, '@types/node')
  link(folder, 'undici-types')
  await run(resolve('node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder })
  for (const program of ['library.ts', 'readme.ts'])
    await run(process.execPath, [program], { cwd: folder, timeoutMs: 30_000 })
}

/** What the README shows of the library. */
function readmeProgram(): string {
  const program = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync('README.md', 'utf8'))?.[1]
  if (program === undefined) throw new Error('README.md shows no program')
  return program
}

function write(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

export function link(folder: string, name: string): void {
  const path = join(folder, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(resolve('node_modules', name), path)
}
