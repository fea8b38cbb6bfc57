import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { ask, serving } from '../../main/coordinator-process.ts'

it('a bucket that takes connections and never answers delays no write, and no stop beyond SHUTDOWN_TIMEOUT_MS', async () => {
  const sockets = new Set<Socket>()
  const hung = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(hung, 'listening')
  try {
    const { port } = hung.address() as { port: number }
    const env = {
      BACKUP_URL: 's3://backups/coordinator',
      BACKUP_INTERVAL_MS: '100',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      SHUTDOWN_TIMEOUT_MS: '1500',
    }
    await using coordinator = await serving({ env })
    await expect.poll(() => sockets.size).toBeGreaterThan(0)
    for (let count = 0; count < 100; count += 1) {
      const body = { serviceName: `s-${count}`, endpoint: `http://s-${count}:1`, version: '1.0.0' }
      expect((await ask(`${coordinator.url}/register`, 'POST', body)).status).toBe(201)
    }
    const { body } = await ask(`${coordinator.url}/health`)
    expect(body).toMatchObject({
      status: 'ok',
      backup: { unarchivedRevisions: 100, lastSuccessAt: null, archivedRevision: 0 },
    })
    expect(body.backup.unarchivedSeconds).toBeGreaterThan(0)
    const began = performance.now()
    const { code } = await coordinator.stop('SIGTERM')
    expect(code).toBe(0)
    // The time to stop, a second that closing the store may take longer, and what a busy machine needs to end a process.
    expect(performance.now() - began).toBeLessThan(8_000)
  } finally {
    for (const socket of sockets) socket.destroy()
    hung.close()
  }
})
