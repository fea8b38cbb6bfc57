import { randomUUID } from 'node:crypto'
import { type CoordinatorError, type ErrorCode, toCoordinatorError } from '../../errors.ts'
import { mendHead } from '../describe-damage.ts'
import { examineStore } from '../examine-store.ts'
import type { Drift, Inspector, MigrationReport, Migrator, Store } from '../store.ts'
import { findReplicas, type ReplicaReads } from './find-replicas.ts'
import { type ClusterFacts, findReplication } from './find-replication.ts'
import { type AccessFacts, findTokens } from './find-tokens.ts'
import { type Finding, flaw, ok, repairOfUsedFile } from './finding.ts'
import { isSlow, judgeFacts } from './judge-facts.ts'
import { judgeMode } from './judge-mode.ts'

/** What the settings say, as far as the database has to match it. */
export interface SettingsFacts {
  /** @default nobody needs a credential */
  readonly access?: AccessFacts
  /** @default one server, and no commit has to wait for a standby */
  readonly cluster?: ClusterFacts
  /** What replicas are meant to answer. @default nothing */
  readonly replicaReads?: ReplicaReads
}

/**
 * Checks whether a database works for this program: whether it answers, whether its schema is right, whether it takes writes, and what its
 * facts mean. Changes nothing.
 *
 * A check that depends on a failed one is left out, because the first problem has to be repaired first.
 *
 * @param store not opened yet, and created with `autoMigrate: false`
 */
export async function* diagnose(
  store: Store,
  { access = { isRequired: false }, cluster, replicaReads = [] }: SettingsFacts = {},
): AsyncGenerator<Finding> {
  if (store.migrator === undefined) {
    yield ok('database', `The backend ${store.backend} has nothing that could be wrong.`)
    return
  }
  const schema = await findSchema(store.migrator)
  yield* schema.findings
  if (!schema.usable) {
    if (schema.damaged === true) yield* await findDamages(store.inspector)
    return
  }
  const opened = await findAccess(store)
  yield* opened.findings
  if (!opened.usable) {
    if (opened.damaged === true) yield* await findDamages(store.inspector)
    if (schema.comparable) yield* await findRepairs(store.migrator)
    return
  }
  if (store.inspector !== undefined) yield* await findFacts(store.inspector)
  const inspector = store.inspector ?? {}
  if (cluster !== undefined) yield* await check('cluster', () => findReplication(inspector, cluster))
  yield* await check('replicas', () => findReplicas(inspector, replicaReads))
  yield* await findDamages(store.inspector)
  yield* await check('tokens', () => findTokens(store, access))
  if (schema.comparable) yield* await findDrift(store.migrator)
}

interface Step {
  readonly findings: readonly Finding[]
  /** Whether further checks make sense. */
  readonly usable: boolean
  /** Whether the tables contradict each other. */
  readonly damaged?: boolean
}

interface SchemaStep extends Step {
  /** Whether this program knows the right schema. Its repairs for a newer schema would remove what is new. */
  readonly comparable: boolean
}

async function findSchema(migrator: Migrator): Promise<SchemaStep> {
  try {
    return judgeSchema(await migrator.status(), migrator.howToMigrate ?? 'Run `coordinator migrate`.')
  } catch (thrown) {
    const error = toCoordinatorError(thrown)
    // A public key that was allowed on purpose may only read and commit.
    if (error.code === 'COORD_STORE_ANON')
      return { findings: [unasked('schema', error)], usable: true, comparable: true }
    const damaged = error.code === 'COORD_STORE_DAMAGED'
    return { findings: [failure('connection', error)], usable: false, comparable: false, damaged }
  }
}

function judgeSchema({ current, target, steps }: MigrationReport, repair: string): SchemaStep {
  const connection = ok('connection', 'The database answers.')
  const numbers = `The schema has number ${current}; this program brings ${target}.`
  if (current < target) {
    const schema = flaw('schema', 'problem', {
      found: current === 0 ? 'There is no schema yet.' : numbers,
      repair,
    })
    return { findings: [connection, schema], usable: false, comparable: false }
  }
  if (current > target) {
    const schema = flaw('schema', 'warning', {
      found: numbers,
      repair: 'Upgrade the coordinator to the version that migrated the database.',
    })
    return { findings: [connection, schema], usable: true, comparable: false }
  }
  const changed = steps.filter(({ state }) => state === 'changed').map(({ name }) => name)
  const schema =
    changed.length === 0
      ? ok('schema', `The schema has number ${current}.`)
      : flaw('schema', 'warning', {
          found: `What ran once differs from what this program has: ${changed.join(', ')}.`,
          repair:
            'Run `coordinator migrate status` to see how, and `coordinator migrate verify` to see whether it matters.',
        })
  return { findings: [connection, schema], usable: true, comparable: true }
}

/** An empty batch takes the same lock as every write, and changes nothing. */
async function findAccess(store: Store): Promise<Step> {
  try {
    const head = await store.open()
    const reading = ok(
      'reading',
      `The head is at revision ${head.position.revision} of history ${head.position.lineage}.`,
    )
    if (head.mode !== 'open') return { findings: [reading, judgeMode(head.mode)], usable: true }
    try {
      await store.commit(head.position, [], { writer: randomUUID(), attempt: 1 })
      return { findings: [reading, ok('writing', 'Commits are accepted.')], usable: true }
    } catch (thrown) {
      return { findings: [reading, failure('writing', toCoordinatorError(thrown))], usable: true }
    }
  } catch (thrown) {
    const error = toCoordinatorError(thrown)
    return {
      findings: [failure('reading', error)],
      usable: false,
      damaged: error.code === 'COORD_STORE_DAMAGED',
    }
  }
}

/** The findings of a check, or that the check failed. */
async function check(name: string, find: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await find()
  } catch (thrown) {
    return [unasked(name, toCoordinatorError(thrown))]
  }
}

/** Head, journal and records, each compared with the others. */
function findDamages(inspector: Inspector | undefined): Promise<readonly Finding[]> {
  return check('records', async () => {
    const examination = await examineStore(inspector)
    if (examination === undefined) return []
    const { damages, count } = examination
    if (count === 0) return [ok('records', 'Head, journal and records agree.')]
    const found = damages.map((damage) => flaw('records', 'problem', damage))
    if (count > damages.length)
      found.push(
        flaw('records', 'problem', {
          // How many is not known: a part of the examination ends at its first damages.
          found: 'There are more of these.',
          repair: 'Repair the first ones, and run `coordinator doctor` again.',
        }),
      )
    return found
  })
}

/** How often a slow database is asked again, before it counts as slow. */
const moreInspections = 2

function findFacts(inspector: Inspector): Promise<readonly Finding[]> {
  return check('inspection', async () => {
    let inspection = await inspector.inspect()
    for (let more = 0; more < moreInspections && isSlow(inspection.details); more += 1)
      inspection = await inspector.inspect()
    return judgeFacts(inspection)
  })
}

function findDrift(migrator: Migrator): Promise<readonly Finding[]> {
  return check('drift', async () => {
    const drifts = await migrator.verify()
    return drifts.length === 0
      ? [ok('drift', 'Every object of the schema is as it should be.')]
      : drifts.map(driftFinding)
  })
}

/** The drift that may be the cause of a failure to read, with the SQL that repairs it. */
async function findRepairs(migrator: Migrator): Promise<readonly Finding[]> {
  // The same fault kept the store from being read, and was reported there.
  const drifts = await migrator.verify().catch((): readonly Drift[] => [])
  return drifts.map(driftFinding)
}

function driftFinding({ object, problem, repair }: Drift): Finding {
  const found = {
    missing: 'is missing',
    different: 'is not as it should be',
    unexpected: 'should not be there',
    optional: 'is missing, which only Supabase mode needs',
    unsafe:
      'has a search path that others can put their own types into, so that its callers can become its owner',
  }[problem]
  const isWarning = problem === 'unexpected' || problem === 'optional'
  return flaw('drift', isWarning ? 'warning' : 'problem', {
    found: `${object} ${found}.`,
    repair: repair === '' ? 'Compare it with a new database; only a person can decide.' : repair,
  })
}

function failure(check: string, error: CoordinatorError): Finding {
  const repairs: { readonly [Code in ErrorCode]?: string } = {
    COORD_STORE_LOCKED: repairOfUsedFile,
    // Only its head keeps a store from being read.
    COORD_STORE_DAMAGED: mendHead,
  }
  const repair = repairs[error.code] ?? error.repair
  return flaw(check, 'problem', { found: `${error.code}: ${error.detail}`, repair })
}

/** A check that failed is a problem, unless the public key only lacks the right for it. */
function unasked(check: string, error: CoordinatorError): Finding {
  if (error.code !== 'COORD_STORE_ANON') return failure(check, error)
  return flaw(check, 'warning', {
    found: 'The public key may not ask for it.',
    repair: 'Set SUPABASE_SERVICE_ROLE_KEY to examine it.',
  })
}
