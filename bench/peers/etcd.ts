import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { type ServerProcess, startServer } from '../server-process.ts'

/** Peer of `POST /register` on SQLite: one etcd, which flushes every put to disk, through its JSON gateway. */
export async function startEtcd(): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-etcd-'))
  const peerPort = await freePort()
  const server = await startServer({
    command: [
      'etcd',
      ...['--data-dir', folder, '--log-level', 'error'],
      ...[
        '--listen-client-urls',
        'http://127.0.0.1:{port}',
        '--advertise-client-urls',
        'http://127.0.0.1:{port}',
      ],
      ...[
        '--listen-peer-urls',
        `http://127.0.0.1:${peerPort}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peerPort}`,
      ],
      ...['--initial-cluster', `default=http://127.0.0.1:${peerPort}`, '--quota-backend-bytes', '8589934592'],
    ],
    readyPath: '/health',
  })
  return {
    ...server,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
