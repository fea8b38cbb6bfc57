import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createCoordinator } from './src/coordinator.ts'
import { registration } from './bench/load/requests.ts'
import { Archiver } from './src/archive/archiver/archiver.ts'
import { FolderDestination } from './src/archive/destination/folder-destination.ts'

const folder = await mkdtemp(join(tmpdir(), 'arch-cpu-'))
const N = Number(process.argv[2] ?? 20000)
const c = await createCoordinator({ port: 0, env: { DATABASE_URL: `sqlite:${join(folder, 'x.db')}` } })
await c.start()
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6 }
const { live } = c
const source = {
  served: () => ({ ...live.view.position, at: live.view.at, ancestors: live.ancestors }),
  snapshot: () => { const { position, at, records } = live.view.snapshot(); return { point: { ...position, at, ancestors: live.ancestors }, records } },
}
const destination = new FolderDestination({ path: join(folder, 'backup') })
const a = new Archiver({ store: live.store, destination, source, intervalMs: 200, retryMaxMs: 50, baseHours: 24 })
a.start()
while (a.figures.state !== 'ok') await new Promise((r) => setTimeout(r, 10))
await a.finish(1000)
let t = cpu()
// singles, as batch route gives several commits each
for (let i = 0; i < N; i += 500) {
  const body = `[${Array.from({ length: 500 }, (_, k) => registration('a', i + k)).join(',')}]`
  const r = await fetch(`${c.url}/register/batch`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await r.arrayBuffer()
  if (!r.ok) throw new Error(String(r.status))
}
console.log('register', N, 'cpu s', (cpu() - t).toFixed(2), 'revision', live.view.revision)
const d = monitorEventLoopDelay({ resolution: 1 }); d.enable()
t = cpu()
let w = performance.now()
const b = new Archiver({ store: live.store, destination: new FolderDestination({ path: join(folder, 'backup') }), source, intervalMs: 200, retryMaxMs: 50, baseHours: 24 })
b.start()
while (b.figures.unarchivedRevisions > 0) await new Promise((r) => setTimeout(r, 5))
console.log('log of', N, 'cpu s', (cpu() - t).toFixed(2), 'wall', ((performance.now() - w) / 1000).toFixed(2), 'us/entry', ((cpu() - t) / N * 1e6).toFixed(1), 'bytes', b.figures.writtenBytes, 'longest turn ms', (d.max / 1e6).toFixed(1))
await b.finish(1000)
d.reset()
t = cpu(); w = performance.now()
const { backupNow } = await import('./src/archive/archiver/backup-now.ts')
const { writeWholeBase } = await import('./src/archive/archiver/write-whole-base.ts')
let bytes = 0, files = 0
let rss = 0; const iv = setInterval(() => { rss = Math.max(rss, process.memoryUsage().rss) }, 50)
await writeWholeBase(source.snapshot(), { recipients: [], clock: Date.now, write: async (f) => { bytes += f.content.length; files += 1 } })
clearInterval(iv)
console.log('base of', live.view.records.count('service'), 'cpu s', (cpu() - t).toFixed(2), 'wall', ((performance.now() - w) / 1000).toFixed(2), 'bytes', bytes, 'files', files, 'longest turn ms', (d.max / 1e6).toFixed(1), 'rss MiB', (rss / 2 ** 20).toFixed(0))
void backupNow
await c.stop(1000)
await rm(folder, { recursive: true, force: true })
process.exit(0)
