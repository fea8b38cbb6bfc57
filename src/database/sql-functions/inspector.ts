import { type DamageFact, type DamageRepairs, describeDamage, facts, sqlText } from '../describe-damage.ts'
import type { Examination, ExaminationCursor, Inspection, Inspector, Replication } from '../store.ts'
import { listOf, numberOf, objectOf, type Reply, readReply, textOf } from './read-reply.ts'
import { asWriterSql, sqlFor } from './schema-sql.ts'
import type { Facts, SqlFunctions } from './sql-functions.ts'

/** Rows in one part of an examination: about 30 ms of the server's time. */
const PART_ROWS = 1_000

/** Members of the function `inspect` that are shown under another name, or tell people nothing. */
const notDetails = new Set(['status', 'schema', 'serverVersion', 'nowMs'])

/** Facts about the server, the role and the schema, and contradictions in the content. */
export class FunctionInspector implements Inspector {
  readonly #functions: SqlFunctions
  readonly #schema: string
  readonly inspectReplication?: () => Promise<Replication>

  constructor(functions: SqlFunctions, schema: string) {
    this.#functions = functions
    this.#schema = schema
    const replication = functions.replication?.bind(functions)
    if (replication !== undefined) this.inspectReplication = replication
  }

  /** The facts of the function `inspect`, and two that only the caller can measure: the round trip and the difference of the clocks. */
  async inspect(): Promise<Inspection> {
    const sentAt = Date.now()
    const started = performance.now()
    const reply = await this.#functions.call('inspect', '{}')
    const roundTripMs = performance.now() - started
    const connection = await this.#functions.connectionFacts()
    return readReply(reply, (found) => ({
      serverVersion: textOf(found, 'serverVersion'),
      schemaVersion: numberOf(found, 'schema'),
      details: {
        ...connection,
        roundTripMs: Math.round(roundTripMs * 10) / 10,
        clockSkewMs: Math.round(numberOf(found, 'nowMs') - (sentAt + roundTripMs / 2)),
        ...detailsOf(found, connection),
      },
    }))
  }

  async examine(from?: ExaminationCursor): Promise<Examination> {
    const reply = await this.#functions.call('examine', JSON.stringify({ from, limit: PART_ROWS }))
    const repairs = repairsFor(this.#schema)
    return readReply(reply, (answer) => ({
      damages: listOf(answer, 'damages').map((damage) =>
        describeDamage(factOf(objectOf(damage, 'a damage')), repairs),
      ),
      ...(answer['next'] === undefined ? {} : { next: objectOf(answer['next'], 'a cursor') }),
    }))
  }
}

/** @param connection facts about the connection. They replace those of the server, which may only see a proxy or pooler */
function detailsOf(found: Reply, connection: Facts): Facts {
  const details: Facts = {}
  for (const [name, value] of Object.entries(found)) {
    if (notDetails.has(name) || Object.hasOwn(connection, name) || value === null) continue
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      details[name] = value
    else details[name] = JSON.stringify(value)
  }
  return details
}

function factOf(damage: Reply): DamageFact {
  const fact = facts.find((name) => name === damage['fact'])
  const revision = numberOf(damage, 'revision')
  switch (fact) {
    case 'head':
      return { fact, revision, newest: damage['newest'] === null ? null : numberOf(damage, 'newest') }
    case 'hole':
      return { fact, revision, upto: numberOf(damage, 'upto') }
    case undefined:
    case 'digest':
      return { fact: 'digest', revision }
    default:
      return { fact, revision, kind: textOf(damage, 'kind'), id: textOf(damage, 'id') }
  }
}

function repairsFor(schema: string): DamageRepairs {
  return {
    record: ({ kind, id }, revision) => {
      const where = (table: string) =>
        `where ${table}.kind = ${sqlText(kind)} and ${table}.id = ${sqlText(id)}`
      return asWriterSql(
        schema,
        `delete from @schema@.records r ${where('r')};
  delete from @schema@.tombstones t ${where('t')};
  insert into @schema@.records (kind, id, data, revision, created_at, updated_at)
  select w.kind, w.id, w.data, j.revision, j.created_at[w.ordinal], j.at
  from @schema@.journal j cross join lateral (
    select e.ordinal, e.write ->> 'kind' as kind, e.write ->> 'id' as id, e.write -> 'data' as data
    from jsonb_array_elements(j.writes) with ordinality as e (write, ordinal) where e.write ->> 'op' = 'put') w
  ${where('w')} and j.revision = ${revision};
  insert into @schema@.tombstones (kind, id, revision)
  select w.kind, w.id, j.revision from @schema@.journal j cross join lateral (
    select e.write ->> 'kind' as kind, e.write ->> 'id' as id
    from jsonb_array_elements(j.writes) as e (write) where e.write ->> 'op' = 'delete') w
  ${where('w')} and j.revision = ${revision};`,
      )
    },
    forgetHistory: () =>
      sqlFor(
        schema,
        `select @schema@.compact(jsonb_build_object('schema', h.schema_number, 'floor', h.revision, 'limit', 1000000000))
  from @schema@.head h;`,
      ),
  }
}
