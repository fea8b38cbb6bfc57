import { type DamageFact, type DamageRepairs, describeDamage, facts, sqlText } from '../describe-damage.ts'
import type { Door } from '../sql-functions/door.ts'
import { listOf, numberOf, objectOf, type Reply, readReply, textOf } from '../sql-functions/door-replies.ts'
import type { Examination, ExaminationCursor } from '../store.ts'
import { asWriterSql, sqlFor } from './postgres-sql.ts'

/** Rows in one part: about 30 ms of the server's time. */
const PART_ROWS = 1_000

/** Asks the function `examine` for one part of its comparison. */
export async function examineThroughDoor(
  door: Door,
  schema: string,
  from?: ExaminationCursor,
): Promise<Examination> {
  const repairs = repairsFor(schema)
  const reply = await door.call('examine', JSON.stringify({ from, limit: PART_ROWS }))
  return readReply(reply, (answer) => ({
    damages: listOf(answer, 'damages').map((damage) =>
      describeDamage(factOf(objectOf(damage, 'a damage')), repairs),
    ),
    ...(answer['next'] === undefined ? {} : { next: objectOf(answer['next'], 'a place to go on') }),
  }))
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
    head: () =>
      asWriterSql(
        schema,
        `update @schema@.head h set revision = coalesce(j.revision, h.first_revision),
    digest = coalesce(j.digest, h.first_digest), at = greatest(h.at, j.at),
    floor = least(h.floor, coalesce(j.revision, h.first_revision)),
    swept = least(h.swept, coalesce(j.revision, h.first_revision))
  from (select 1) one left join (select * from @schema@.journal order by revision desc limit 1) j on true where h.id = 1;`,
      ),
    record: ({ kind, id }, revision) => {
      const key = `${sqlText(kind)} and %s.id = ${sqlText(id)}`
      const where = (table: string) => `where ${table}.kind = ${key.replace('%s', table)}`
      return asWriterSql(
        schema,
        `delete from @schema@.records r ${where('r')};
  delete from @schema@.tombstones t ${where('t')};
  insert into @schema@.records (kind, id, data, revision, created_at, updated_at)
  select w.kind, w.id, w.data, j.revision, j.created_at[w.place], j.at
  from @schema@.journal j cross join lateral (
    select e.place, e.write ->> 'kind' as kind, e.write ->> 'id' as id, e.write -> 'data' as data
    from jsonb_array_elements(j.writes) with ordinality as e (write, place) where e.write ->> 'op' = 'put') w
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
