import { describe, expect, it } from 'vitest'
import type { CommitReply, CommitResult } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, newCall, put } from './build.ts'
import { accepted, Caller, conflict, loadAll, recordsAsOf } from './caller.ts'
import { scoped } from './scope.ts'

function resultsOf(reply: CommitReply): readonly CommitResult[] {
  if (reply.status !== 'ok') throw new Error(`The store answered ${reply.status}.`)
  return reply.results
}

/** Several callers at once on one store. */
export function concurrency(backend: ConformanceBackend): void {
  describe(`${backend.name}: concurrency`, () => {
    it(
      'gives 64 commits that are sent at once 64 revisions without a gap',
      scoped(backend, async ({ store, caller }) => {
        const { position } = await store.head()
        const replies = await Promise.all(
          idsOf('r', 64).map((id) => store.commit(position, [commitOf(put(id))], newCall())),
        )
        const revisions = replies.map((reply) => accepted(resultsOf(reply)[0]).revision)
        expect(revisions.toSorted((a, b) => a - b)).toEqual(revisions.map((_, index) => index + 1))
        expect(await caller.follow()).toHaveLength(64)
        expect((await loadAll(store)).records).toHaveLength(64)
      }),
    )

    it(
      'answers each of them with a journal that reaches its own commit',
      scoped(backend, async ({ store }) => {
        const { position } = await store.head()
        const callers = idsOf('r', 32).map((id) => ({ id, caller: new Caller(store, position) }))
        await Promise.all(
          callers.map(async ({ id, caller }) => {
            const { revision } = accepted(await caller.write(put(id)))
            expect(caller.position.revision).toBeGreaterThanOrEqual(revision)
            expect(caller.entries[revision - 1]?.writes[0]?.id).toBe(id)
          }),
        )
      }),
    )

    it(
      'lets exactly one of 64 callers create a record',
      scoped(backend, async ({ store }) => {
        const { position } = await store.head()
        const replies = await Promise.all(
          Array.from({ length: 64 }, (_, by) =>
            store.commit(position, [commitOf(put('a', { by }, { expect: 0 }))], newCall()),
          ),
        )
        const results = replies.map((reply) => resultsOf(reply)[0])
        const winners = results.filter((result) => result?.outcome === 'accepted')
        expect(winners).toHaveLength(1)
        for (const loser of results.filter((result) => result?.outcome !== 'accepted'))
          expect(conflict(loser)).toMatchObject({ expected: 0, actual: 1 })
        const by = results.findIndex((result) => result?.outcome === 'accepted')
        expect((await loadAll(store)).records[0]?.data).toBe(`{"by":${by}}`)
      }),
    )

    it(
      'loses no step of 8 callers that count together',
      scoped(backend, async ({ store }) => {
        const start = await Caller.at(store)
        await start.write(put('counter', { n: 0 }))
        const count = async (): Promise<void> => {
          const caller = new Caller(store, start.position)
          for (let step = 0, tries = 0; step < 8; tries += 1) {
            expect(tries).toBeLessThan(500)
            const [now] = (await recordsAsOf(store, { revision: caller.position.revision })).records
            const { n } = JSON.parse(now?.data as string)
            const result = await caller.write(
              put('counter', { n: n + 1 }, { expect: now?.revision as number }),
            )
            if (result.outcome === 'accepted') step += 1
            else conflict(result)
          }
        }
        await Promise.all(Array.from({ length: 8 }, count))
        expect((await loadAll(store)).records).toMatchObject([{ data: '{"n":64}', revision: 65 }])
      }),
    )

    it(
      'stores a commit once that 16 callers send at once',
      scoped(backend, async ({ store }) => {
        const { position } = await store.head()
        const commit = commitOf(put('a'))
        const replies = await Promise.all(
          Array.from({ length: 16 }, () => store.commit(position, [commit], newCall())),
        )
        const results = replies.map((reply) => accepted(resultsOf(reply)[0]))
        expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
        expect(new Set(results.map(({ revision, digest }) => `${revision} ${digest}`)).size).toBe(1)
        expect((await store.head()).position.revision).toBe(1)
      }),
    )

    it(
      'keeps moments, histories and the journal exact while commits come',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(...idsOf('r', 20).map((id) => commitOf(put(id))))
          const before = {
            records: (await recordsAsOf(store, { revision: 20 })).records,
            history: await store.history('service', 'r05'),
          }
          const writing = (async () => {
            for (let v = 0; v < 20; v += 1)
              await caller.send(...idsOf('r', 20).map((id) => commitOf(put(id, { v }))))
          })()
          const follower = new Caller(store, { ...caller.position })
          for (let round = 0; round < 5; round += 1) {
            expect((await recordsAsOf(store, { revision: 20 })).records).toEqual(before.records)
            const page = await store.history('service', 'r05', { before: 7 })
            expect(page.entries).toEqual(before.history.entries)
            await follower.follow(7)
          }
          await writing
          await follower.follow(100)
          expect(follower.position).toEqual(caller.position)
        },
        { pageSize: 6 },
      ),
    )

    it(
      'keeps every acknowledged commit when a fork comes in between',
      scoped(backend, async ({ store }) => {
        const head = await store.head()
        const commits = idsOf('r', 24).map((id) => ({
          id,
          reply: store.commit(head.position, [commitOf(put(id))], newCall()),
        }))
        const forking = store.fork(head.position)
        const stored: string[] = []
        for (const { id, reply } of commits) {
          const answer = await reply
          if (answer.status === 'ok') stored.push(id)
          else expect(answer.status).toBe('diverged')
        }
        const forked = await forking
        const { records, pages } = await loadAll(store)
        expect(records.map(({ id }) => id)).toEqual(stored)
        const { position } = await store.head()
        expect(position.lineage).toBe(forked.position.lineage)
        for (const page of pages) expect(page.lineage).toBe(position.lineage)
      }),
    )

    it(
      'answers or refuses what is under way when it is closed, keeps what it answered, and nothing that it refused',
      scoped(backend, async (scope) => {
        const { store } = scope
        const { position } = await store.head()
        const commits = idsOf('r', 16).map((id) => ({
          id,
          reply: store.commit(position, [commitOf(put(id))], newCall()).catch((thrown: unknown) => thrown),
        }))
        await store.close()
        const stored: string[] = []
        const open: string[] = []
        for (const { id, reply } of commits) {
          const answer = await reply
          if (!(answer instanceof CoordinatorError)) {
            accepted(resultsOf(answer as CommitReply)[0])
            stored.push(id)
          } else if (answer.outcome === 'unknown') open.push(id)
          else expect(answer.outcome).toBe('not_written')
        }
        await scope.reopen()
        const found = (await loadAll(scope.store)).records.map(({ id }) => id)
        // What was not written is not there: each record was acknowledged, or nobody could say.
        if (backend.durable) expect(found.filter((id) => !open.includes(id))).toEqual(stored)
        else expect(found).toEqual([])
      }),
    )
  })
}
