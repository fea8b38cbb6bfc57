import { collectDefaultMetrics } from 'prom-client'
import type { Meters } from './meters.ts'

/**
 * Gauges of prom-client with the names of counters. Prometheus would compute rates of them, and `promtool check metrics` complains. The
 * gauges of the same names without `_total` have the same numbers by type.
 */
const sums = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

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
  if (!usual) return
  collectDefaultMetrics({ register: meters.registry })
  for (const name of sums) meters.registry.removeSingleMetric(name)
}
