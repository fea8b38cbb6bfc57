import type { Meters } from './meters.ts'
import { nodeMetrics } from './node-metrics.ts'

/** @param usual whether memory, CPU, event loop and garbage collection are told, too */
export function processMetrics(
  meters: Meters,
  {
    version,
    backend,
    usual,
  }: { readonly version: string; readonly backend: string; readonly usual: boolean },
): void {
  meters.gauges({
    coordinator_uptime_seconds: ['Time since the process started.', () => process.uptime()],
  })
  meters.gaugeBy(
    { version: [version], node: [process.version], backend: [backend] },
    { name: 'coordinator_build_info', help: 'Always 1; the labels say what runs.', read: () => 1 },
  )
  if (usual) nodeMetrics(meters)
}
