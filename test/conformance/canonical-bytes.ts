import { describe, expect, it } from 'vitest'
import { canonicalJson, type JsonValue } from '../../src/records/canonical-json.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put } from './build.ts'
import { Caller, loadAll, recordsAsOf, unchanged } from './caller.ts'
import { awkwardIds } from './loads.ts'
import { scoped } from './scope.ts'

function nested(depth: number): JsonValue {
  let value: JsonValue = 'the bottom'
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { 'k\u00e9y': value }
  return value
}

export const oddValues: Readonly<Record<string, JsonValue>> = {
  'whole numbers up to the safe ends': [0, -0, 1, -1, 9007199254740991, -9007199254740991, 9007199254740992],
  'fractions and exponents': [
    0.1, -0.5, 1e21, 1e-7, 123456789012345680000, 1e-27, 333333333.3333333, 4.35, 1e23,
  ],
  'the smallest and the largest numbers': [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308],
  'true, false, null and nothing': { t: true, f: false, n: null, a: [], o: {}, s: '' },
  'controls, quotes and backslashes': `${String.fromCharCode(...Array.from({ length: 31 }, (_, i) => i + 1))}"\\/\u007f`,
  'an escape that is only text': ['\\u0000', '\\\\u0000', '\\n', '\\"'],
  'letters that look alike': ['\u00e9', 'e\u0301', '\u212b', '\u00c5', '\ufb01', 'fi', '\u0130', '\u0131'],
  'characters outside the first plane': ['\u{1f600}', '\u{10ffff}', '\u{1d11e}', '\u{2f800}'],
  'characters that JavaScript once broke at': ['\u2028', '\u2029', '\ufeff', '\ufffd', '\uffff', '\ufffe'],
  'keys whose order depends on who sorts': {
    '\u20ac': 'Euro',
    '\r': 'CR',
    '\ufb33': 'Dalet',
    '1': 'one',
    '\u{1f600}': 'emoji',
    '\u0080': 'control',
    '\u00f6': 'o umlaut',
    '10': 'ten',
    '9': 'nine',
    '': 'empty',
    A: 'upper',
    a: 'lower',
  },
  'keys with a meaning elsewhere': JSON.parse(
    '{"__proto__":{"x":1},"constructor":1,"toString":2,"length":3}',
  ),
  'nesting of 32 levels': nested(31),
  '256 KiB in one text': 'ü€😀x'.repeat(26_214),
  '10,000 small items': Array.from({ length: 10_000 }, (_, index) => ({ index, odd: index % 2 === 1 })),
}

/** `data` is canonical text, and comes back byte for byte wherever it is read. */
export function canonicalBytes(backend: ConformanceBackend): void {
  describe(`${backend.name}: canonical bytes`, () => {
    it.each(Object.entries(oddValues))('keeps %s, byte for byte', (_, value) =>
      scoped(backend, async (scope) => {
        const data = canonicalJson({ value })
        const start = scope.caller.position
        await scope.caller.write(put('a', { value }))
        await scope.reopenIfDurable()
        const { store } = scope
        const caller = new Caller(store, start)
        const seen = {
          changes: (await caller.follow())[0]?.writes[0],
          load: (await loadAll(store)).records[0],
          asOf: (await recordsAsOf(store, { revision: 1 })).records[0],
          history: (await store.history('service', 'a')).entries[0]?.writes[0],
        }
        for (const [name, holder] of Object.entries(seen))
          expect(holder !== undefined && 'data' in holder && holder.data === data, name).toBe(true)
        // Equal content is told from other content by these bytes.
        expect(unchanged(await caller.write(put('a', { value }))).revisions).toEqual([1])
        await caller.write(put('a', { value, more: 1 }))
        const before = (await recordsAsOf(store, { revision: 1 })).records[0]
        expect(before?.data === data).toBe(true)
      })(),
    )

    it(
      'keeps kinds and ids as they were written, and apart where they differ',
      scoped(backend, async (scope) => {
        const start = scope.caller.position
        await scope.caller.send(...awkwardIds.map((id) => commitOf(put(id, { id }))))
        await scope.caller.send(...awkwardIds.map((id) => commitOf(put(id, { id }, { kind: id }))))
        await scope.reopenIfDurable()
        const { store } = scope
        const entries = await new Caller(store, start).follow()
        expect(entries.map(({ writes }) => writes[0]?.id)).toEqual([...awkwardIds, ...awkwardIds])
        const { records } = await loadAll(store)
        expect(records).toHaveLength(awkwardIds.length * 2)
        for (const [index, id] of awkwardIds.entries()) {
          expect((await store.history('service', id)).entries).toEqual([entries[index]])
          const then = await recordsAsOf(store, { revision: entries.length }, { kind: id, id })
          expect(then.records.map((record) => JSON.parse(record.data))).toEqual([{ id }])
        }
      }),
    )

    it(
      'keeps actors as they were written',
      scoped(backend, async (scope) => {
        const start = scope.caller.position
        const actors = [
          'http:::1',
          'cli:jürgen',
          'Ünïcode 😀',
          "o'brien",
          '{"json":true}',
          ' ',
          '%s',
          '\\x41',
        ]
        await scope.caller.send(...actors.map((actor, v) => ({ ...commitOf(put('a', { v })), actor })))
        await scope.reopenIfDurable()
        const entries = await new Caller(scope.store, start).follow()
        expect(entries.map(({ actor }) => actor)).toEqual(actors)
      }),
    )

    it(
      'stores the same text in two records, and its neighbours of one letter more or less',
      scoped(backend, async ({ store, caller }) => {
        const texts = [
          '{}',
          '{"a":1}',
          '{"a":1.5}',
          '{"a":"1"}',
          '{"a":null}',
          '{"a":[]}',
          '{"a":{}}',
          '{"A":1}',
        ]
        for (const [index, text] of texts.entries())
          await caller.write(put('one', JSON.parse(text)), put(`r${index}`, JSON.parse(text)))
        const { records } = await loadAll(store)
        expect(records.map(({ data }) => data)).toEqual([texts.at(-1), ...texts])
        expect((await store.history('service', 'one')).entries).toHaveLength(texts.length)
      }),
    )
  })
}
