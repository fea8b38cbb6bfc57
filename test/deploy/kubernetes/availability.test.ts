import { describe, expect, it } from 'vitest'
import { overlays, readFolder, workloadOf } from './manifests.ts'

const [postgres] = overlays

describe(`${postgres}, while nodes are drained and versions change`, () => {
  const { objects } = readFolder(postgres)
  const { kind, spec } = workloadOf(objects)

  it('always has one of two coordinators', () => {
    expect([kind, spec.replicas]).toEqual(['Deployment', 2])
    const budget = objects.find((object) => object.kind === 'PodDisruptionBudget')?.spec
    expect(budget.selector.matchLabels).toEqual(spec.selector.matchLabels)
    expect(budget.maxUnavailable).toBeLessThan(spec.replicas)
  })

  it('stops a coordinator only when its successor is ready', () => {
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
    const [{ lifecycle }] = spec.template.spec.containers
    expect(lifecycle.preStop.sleep.seconds).toBeGreaterThan(0)
  })
})

describe.each(overlays)('%s, while its database is away', (folder) => {
  it('gets no requests before it has its records, and is not restarted for want of a database', () => {
    const [container] = workloadOf(readFolder(folder).objects).spec.template.spec.containers
    const pathOf = (probe: string) => container[`${probe}Probe`].httpGet.path
    expect(['startup', 'liveness', 'readiness'].map(pathOf)).toEqual([
      '/health/live',
      '/health/live',
      '/health/ready',
    ])
  })
})
