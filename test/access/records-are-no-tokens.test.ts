import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { createTokenText } from '../../src/access/token-format.ts'
import { KnowledgeGraph } from '../../src/graph/knowledge-graph.ts'
import { Live } from '../../src/live/live.ts'
import { domain, Registry } from '../../src/registry/registry.ts'
import { commitOf, put } from '../conformance/build.ts'
import { backends } from '../support/backends/index.ts'
import { writtenBy } from '../support/written-by.ts'

const here = '192.0.2.1'

describe.each(backends.map((backend) => [backend.name, backend] as const))('on %s', (_, backend) => {
  it('writing any record makes nobody an administrator, and revives no token that was revoked', {
    timeout: 60_000,
  }, async () => {
    const subject = await backend.create({ pageSize: 50, firstRevision: 0 })
    const live = new Live(subject.store, domain)
    const access = new Access({ mode: 'required', store: live.store.access })
    const graph = new KnowledgeGraph(live)
    try {
      await live.start()
      live.observe({ access: (version) => access.versionSeen(version) })
      await access.start()
      const good = await access.createToken({ name: 'good', scopes: ['read'], expiresAt: null }, 'test')
      const gone = await access.createToken({ name: 'gone', scopes: ['admin'], expiresAt: null }, 'test')
      await access.revokeToken(gone.info.id, 'test')
      const before = await live.store.access.load()

      const forged = createTokenText()
      const revived = before.tokens.find(({ id }) => id === gone.info.id)
      const rows = [
        {
          ...{ id: forged.id, name: 'forged', scopes: ['admin'], secretHash: forged.secretHash },
          ...{ createdAt: 1, createdBy: 'admin', expiresAt: null, revokedAt: null, revokedBy: null },
        },
        { ...revived, revokedAt: null, revokedBy: null },
        { ...before.tokens.find(({ id }) => id === good.info.id), scopes: ['admin'] },
      ]
      const registry = new Registry(live)
      for (const [at, row] of rows.entries()) {
        const service = { serviceName: `token-${at}`, version: '1', endpoint: `http://host:${at + 1}` }
        const sent = { ...service, instanceId: row.id ?? '', metadata: row }
        const { serviceId } = await registry.register(
          sent as Parameters<Registry['register']>[0],
          writtenBy('admin'),
        )
        await registry.submitMigration(serviceId, { migrationFile: row }, writtenBy('admin'))
        const node = { kind: 'node', id: `token:${row.id}` } as const
        await graph.asserted.put(node, { label: 'admin', properties: row }, writtenBy('token:gone'))
        const edge = { kind: 'edge', id: `token:${row.id},grants,scope:admin` } as const
        await graph.asserted.put(edge, { properties: row }, writtenBy('token:gone'))
        const kinds = [
          'token',
          'tokens',
          'access',
          'access_state',
          'coordinator_tokens',
          'admin',
          'principal',
        ]
        await live.commit(commitOf(...kinds.map((kind) => put(row.id ?? '', row, { kind }))))
      }
      await live.catchUp()

      expect(await live.store.access.load()).toEqual(before)
      // Not even a coordinator that starts now takes the records for tokens.
      const later = new Access({ mode: 'required', store: live.store.access })
      await later.start()
      for (const [at, judge] of [access, later].entries()) {
        const caller = await judge.identify(`Bearer ${good.token}`, here)
        expect([at, caller.grants.texts]).toEqual([at, ['read']])
        const answers: string[] = []
        for (const { token } of [forged, gone])
          try {
            await judge.identify(`Bearer ${token}`, here)
            answers.push('accepted')
          } catch (thrown) {
            answers.push((thrown as { code: string }).code)
          }
        expect([at, answers]).toEqual([at, ['COORD_CREDENTIAL_INVALID', 'COORD_CREDENTIAL_REVOKED']])
      }
      later.stop()
    } finally {
      access.stop()
      await graph.close()
      await live.stop()
      await subject.dispose()
    }
  })
})
