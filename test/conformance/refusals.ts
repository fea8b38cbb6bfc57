import { describe, expect, it } from 'vitest'
import { MAX_ACTOR_LENGTH, MAX_ID_LENGTH, MAX_KIND_LENGTH } from '../../src/database/check-commit.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { type Commit, MAX_REVISION } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, putText, remove } from './build.ts'
import { accepted, conflict, loadAll, refusal, replayOf } from './caller.ts'
import { scoped } from './scope.ts'

function id(commitId: string): Commit {
  return { ...commitOf(put('poison')), commitId }
}

const poisoned: Readonly<Record<string, Commit>> = {
  'NUL in an id': commitOf(put('a\0b')),
  'NUL in the id of a delete': commitOf(remove('a\0b')),
  'NUL in a kind': commitOf(put('a', {}, { kind: 'no\0de' })),
  'half a surrogate pair in an id': commitOf(put('a\ud800')),
  'half a surrogate pair in a kind': commitOf(put('a', {}, { kind: '\udc00' })),
  'an empty id': commitOf(put('')),
  'an empty kind': commitOf(put('a', {}, { kind: '' })),
  'an id that is too long': commitOf(put('x'.repeat(MAX_ID_LENGTH + 1))),
  'a kind that is too long': commitOf(put('a', {}, { kind: 'k'.repeat(MAX_KIND_LENGTH + 1) })),
  'an empty commit id': id(''),
  'a commit id that is no UUID': id('commit-1'),
  'a commit id in upper case': id('6F1D2C3B-4A59-4E68-8D77-9C86AB95CDA4'),
  'a commit id with text behind it': id('6f1d2c3b-4a59-4e68-8d77-9c86ab95cda4\n'),
  'no writes': commitOf(),
  'an empty actor': { ...commitOf(put('a')), actor: '' },
  'an actor that is too long': { ...commitOf(put('a')), actor: 'a'.repeat(MAX_ACTOR_LENGTH + 1) },
  'NUL in the actor': { ...commitOf(put('a')), actor: 'http:\0' },
  'an empty fingerprint': { ...commitOf(put('a')), fingerprint: '' },
  'a fingerprint that is too long': { ...commitOf(put('a')), fingerprint: 'f'.repeat(MAX_ACTOR_LENGTH + 1) },
  'half a surrogate pair in the fingerprint': { ...commitOf(put('a')), fingerprint: '\ud83d' },
  'a negative expect': commitOf(put('a', {}, { expect: -1 })),
  'a fraction as expect': commitOf(put('a', {}, { expect: 0.5 })),
  'an expect that is not a number': commitOf(remove('a', { expect: Number.NaN })),
  'an expect beyond the last revision': commitOf(put('a', {}, { expect: MAX_REVISION + 1 })),
  'an array as data': commitOf(putText('a', '[]')),
  'a text as data': commitOf(putText('a', '"{}"')),
  'null as data': commitOf(putText('a', 'null')),
  'no data': commitOf(putText('a', '')),
  'NUL in data': commitOf(put('a', { text: 'a\0b' })),
  'NUL in a key of data': commitOf(put('a', { 'k\0': 1 })),
  'NUL behind a backslash in data': commitOf(put('a', { text: '\\\0' })),
  'half a surrogate pair in data': commitOf(putText('a', '{"text":"\ud800"}')),
  'one record written twice': commitOf(put('a'), put('b'), put('a', { v: 2 })),
  'one record written and deleted': commitOf(put('a'), remove('a')),
  'one bad write among good ones': commitOf(put('a'), put(''), put('b')),
}

/** Commits that no database could store: refused alone, by every backend alike. */
export function refusals(backend: ConformanceBackend): void {
  describe(`${backend.name}: refusals`, () => {
    it.each(Object.entries(poisoned))('refuses a commit with %s, and none beside it', (_, commit) =>
      scoped(backend, async ({ store, caller }) => {
        const results = await caller.send(commitOf(put('before')), commit, commitOf(put('behind')))
        const error = refusal(results[1])
        expect(error).toMatchObject({ code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' })
        expect(error.detail).not.toBe('')
        expect(accepted(results[0]).revision).toBe(1)
        expect(accepted(results[2]).revision).toBe(2)
        const { records, tombstones } = await loadAll(store)
        expect(records.map((record) => record.id)).toEqual(['before', 'behind'])
        expect(tombstones).toEqual([])
      })(),
    )

    it(
      'refuses every commit of a batch of nothing else, and stores nothing',
      scoped(backend, async ({ store, caller }) => {
        const results = await caller.send(...Object.values(poisoned))
        for (const result of results) refusal(result)
        expect(await store.head()).toMatchObject({ position: { revision: 0 } })
      }),
    )

    it(
      'accepts every text at its longest',
      scoped(backend, async ({ store, caller }) => {
        const longest = {
          ...commitOf(
            put('\u{1f600}'.repeat(MAX_ID_LENGTH / 2), {}, { kind: '\uffff'.repeat(MAX_KIND_LENGTH) }),
            put('\uffff'.repeat(MAX_ID_LENGTH)),
            put('x'.repeat(MAX_ID_LENGTH)),
          ),
          actor: '\u{1f600}'.repeat(MAX_ACTOR_LENGTH / 2),
          fingerprint: '\uffff'.repeat(MAX_ACTOR_LENGTH),
        }
        const first = accepted((await caller.send(longest))[0])
        expect(caller.entries[0]).toMatchObject({ actor: longest.actor })
        expect((await loadAll(store)).records).toHaveLength(3)
        expect((await caller.send(longest))[0]).toEqual(replayOf(first, longest))
      }),
    )

    it(
      'accepts the largest expect there is, as a number like any other',
      scoped(backend, async ({ caller }) => {
        const result = conflict(await caller.write(put('a', {}, { expect: MAX_REVISION })))
        expect(result).toMatchObject({ expected: MAX_REVISION, actual: 0 })
      }),
    )

    it(
      'accepts data that only looks as if it held NUL',
      scoped(backend, async ({ store, caller }) => {
        const value = { 'key\\u0000': 'text\\u0000', more: '\\\\u0000' }
        accepted(await caller.write(put('a', value)))
        expect((await loadAll(store)).records[0]?.data).toBe(canonicalJson(value))
      }),
    )
  })
}
