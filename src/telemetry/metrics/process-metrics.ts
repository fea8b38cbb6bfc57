import { collectDefaultMetrics } from 'prom-client'
import type { Meters } from './meters.ts'

/** @param usual whether memory, CPU, event loop and garbage collection are told, too */
export function processMetrics(
  meters: Meters,
  {
    version,
    backend,
    usual,
  }: { readonly version: string; readonly backend: string; readonly usual: boolean },
): void {
  meters.gauge('coordinator_uptime_seconds', 'Time since the process started.', () => process.uptime())
  meters.gauges('coordinator_build_info', 'Always 1; the labels say what runs.', {
    labels: { version: [version], node: [process.version], backend: [backend] },
    read: () => 1,
  })
  if (usual) collectDefaultMetrics({ register: meters.registry })
}
