import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/http/sending/body-part.ts'
import { ChangeFeed } from '../../src/http/streams/change-feed.ts'
import { framesOf } from '../../src/http/streams/event-frames.ts'
import type { Revision } from '../../src/records/record.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

interface Shown {
  readonly revision: number
  readonly unproven?: true
}

/** A server whose access can be made `required`, by this coordinator or another one. */
async function withSwitch(
  body: (scope: ServerScope, access: { requiredSince: Revision | null }) => Promise<void>,
): Promise<void> {
  const access: { requiredSince: Revision | null } = { requiredSince: null }
  await withServer((scope) => body(scope, access), {
    options: { requiredSince: () => access.requiredSince },
  })
}

/** Three entries about a service, and two about a node. @returns the id of the service */
async function write(scope: ServerScope): Promise<string> {
  const { ask } = scope
  const id = await register(scope)
  await ask(`/register/${id}/migration`, { json: { migrationFile: {} } })
  await ask('/knowledge-graph/nodes/team:a', { method: 'PUT', json: {} })
  await ask('/knowledge-graph/nodes/team:a', { method: 'PUT', json: { label: 'A' } })
  await register(scope, { ...cart, migrationFile: { a: 1 } })
  return id
}

/** The revisions of entries that are shown as unproven. */
function unproven(entries: readonly Shown[]): readonly number[] {
  return entries
    .filter((entry) => entry.unproven === true)
    .map(({ revision }) => revision)
    .sort((left, right) => left - right)
}

/** The entries in each answer that names authors. */
const answers = (id: string) => ({
  '/changes?after=0': 'entries',
  '/changes?after=0&kind=service&kind=node&limit=500': 'entries',
  [`/services/${id}/history`]: 'entries',
  '/knowledge-graph/nodes/team:a/history': 'entries',
  '/knowledge-graph/diff?from=0&to=5': 'commits',
})

describe('entries from before access was first required', () => {
  it('are shown as unproven in every answer that names an author, and later ones are not', () =>
    withSwitch(async (scope, access) => {
      const id = await write(scope)
      access.requiredSince = 3
      const found: Record<string, readonly number[]> = {}
      for (const [path, member] of Object.entries(answers(id))) {
        const { body, status } = await scope.ask(path)
        expect([path, status]).toEqual([path, 200])
        found[path.replace(id, 'ID')] = unproven(body[member])
      }
      expect(found).toEqual({
        '/changes?after=0': [1, 2, 3],
        '/changes?after=0&kind=service&kind=node&limit=500': [1, 2, 3],
        '/services/ID/history': [1, 2],
        '/knowledge-graph/nodes/team:a/history': [3],
        '/knowledge-graph/diff?from=0&to=5': [1, 2, 3],
      })
    }))

  it('have no such member where access was never required', () =>
    withSwitch(async (scope) => {
      const id = await write(scope)
      for (const path of Object.keys(answers(id)))
        expect((await scope.ask(path)).text).not.toContain('unproven')
    }))

  it('are none if access was required before the first commit', () =>
    withSwitch(async (scope, access) => {
      access.requiredSince = 0
      const id = await write(scope)
      for (const path of Object.keys(answers(id)))
        expect((await scope.ask(path)).text).not.toContain('unproven')
    }))

  it('do not stay proven because somebody has read them before the switch', () =>
    withSwitch(async (scope, access) => {
      const id = await write(scope)
      const paths = [...Object.keys(answers(id)), '/changes?after=1', '/changes?after=1&limit=1']
      const before = await Promise.all(paths.map(async (path) => (await scope.ask(path)).text))
      access.requiredSince = 5
      for (const [at, path] of paths.entries()) {
        const { text } = await scope.ask(path)
        expect([path, text.includes('"unproven":true')]).toEqual([path, true])
        expect(text.replaceAll(',"unproven":true', '')).toBe(before[at])
      }
    }))

  it('do not stay proven in pages and events that are kept for other readers, small or large', () =>
    withSwitch(async ({ live, ask }, access) => {
      const large = { ...cart, migrationFile: { text: 'x'.repeat(50_000) } }
      await ask('/register', { json: cart })
      await ask('/register', { json: large })
      const position = await new ChangeFeed(live).positionOf(0)
      // This feed begins here, so it reads older entries from the store.
      const feed = new ChangeFeed(live)
      const textsOf = async () => {
        const { entries } = await feed.after(position, 10)
        const bytes = framesOf(entries, {})
          .parts.map((part) => part.bytes.toString())
          .join('')
        return [textOf(entries.map(({ part }) => part)), bytes]
      }
      for (const text of await textsOf()) expect(text).not.toContain('unproven')
      access.requiredSince = 1
      for (const text of await textsOf()) expect(text.match(/"unproven":true/g)).toHaveLength(1)
      access.requiredSince = 2
      for (const text of await textsOf()) expect(text.match(/"unproven":true/g)).toHaveLength(2)
    }))

  it('are marked in the stream of events', () =>
    withSwitch(async (scope, access) => {
      await write(scope)
      access.requiredSince = 2
      const ended = new AbortController()
      const response = await fetch(`${scope.url}/changes?after=0`, {
        headers: { accept: 'text/event-stream' },
        signal: ended.signal,
      })
      let text = ''
      for await (const chunk of response.body as ReadableStream<Uint8Array>) {
        text += Buffer.from(chunk).toString()
        if (text.includes('"revision":5,')) break
      }
      ended.abort()
      const entries = text
        .split('\n')
        .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []))
      expect(unproven(entries)).toEqual([1, 2])
    }))
})
