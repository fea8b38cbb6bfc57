import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readSettings } from '../../../src/config/settings.ts'
import { ask, serving } from '../../main/coordinator-process.ts'
import { unknownVariables } from '../known-variables.ts'
import { type Content, monitoring, overlays, readFolder, workloadOf } from './manifests.ts'

const mounted = '/run/secrets/coordinator'
const tokens = { 'admin-token': 'a'.repeat(43), 'metrics-token': 'm'.repeat(43) }

/** The settings of a folder, with secrets and data in a folder of this machine. */
function settingsOf(folder: string): Record<string, string> {
  const here = mkdtempSync(join(tmpdir(), 'coordinator-kubernetes-'))
  onTestFinished(() => rmSync(here, { recursive: true, force: true }))
  const secrets = { ...tokens, 'database-url': 'postgres://coordinator:secret@127.0.0.1:1/coordinator' }
  for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(here, name), `${secret}\n`)
  const { settings } = readFolder(folder)
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      value.replace(mounted, here).replace('sqlite:/data', `sqlite:${here}`),
    ]),
  )
}

function containerOf(folder: string): Content {
  return workloadOf(readFolder(folder).objects).spec.template.spec.containers[0]
}

describe.each(overlays)('%s', (folder) => {
  const { spec } = workloadOf(readFolder(folder).objects)
  const pod = spec.template.spec
  const [container] = pod.containers

  it('sets only variables that the coordinator reads, to values that it accepts', () => {
    const settings = settingsOf(folder)
    expect(unknownVariables(Object.keys(settings))).toEqual([])
    const { access, database, host, port, warnings } = readSettings(settings)
    expect(access.mode).toBe('required')
    expect(database.backend).toBe(folder.endsWith('sqlite') ? 'sqlite' : 'postgres')
    expect(port).toBe(container.ports[0].containerPort)
    expect(host).toBe('0.0.0.0')
    expect(warnings.filter((warning) => !warning.includes('unencrypted'))).toEqual([])
  })

  it('mounts what its settings name', () => {
    const { settings } = readFolder(folder)
    const paths = Object.values(settings).flatMap((value) => /(?<=^|:)\/[\w/.-]+$/.exec(value)?.[0] ?? [])
    expect(paths.length).toBeGreaterThan(2)
    const mounts: string[] = container.volumeMounts.map((mount: Content) => mount.mountPath)
    expect(paths.filter((path) => !mounts.some((mount) => path.startsWith(`${mount}/`)))).toEqual([])
  })

  it('has time for a stop, and twice as much memory as the heap', () => {
    const settings = settingsOf(folder)
    const { shutdownTimeoutMs } = readSettings(settings)
    const waitsMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1_000
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(shutdownTimeoutMs + waitsMs)
    const heapMib = Number(/--max-old-space-size=(\d+)/.exec(settings['NODE_OPTIONS'] ?? '')?.[1])
    const { requests, limits } = container.resources
    expect(limits.memory).toBe(`${(2 * heapMib) / 1_024}Gi`)
    expect(requests.memory).toBe(limits.memory)
    expect([...Object.keys(requests), ...Object.keys(limits)].toSorted()).toEqual(['cpu', 'memory', 'memory'])
  })
})

/** The status of an answer to a request with this header `Host`, which `fetch` does not let a program set. */
async function statusAs(host: string, url: string): Promise<number | undefined> {
  const request = get(url, { headers: { host } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

describe('a coordinator with the settings of the manifests', () => {
  it('answers the probes without a credential, clients in the cluster, and Prometheus with its token', async () => {
    const [, sqlite] = overlays
    const { HOST: _, ...settings } = settingsOf(sqlite)
    await using coordinator = await serving({ env: { ...settings, HOST: '127.0.0.1', PORT: '0' } })
    const container = containerOf(sqlite)
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe]
    for (const { httpGet } of probes)
      expect({ ...httpGet, status: (await ask(coordinator.url + httpGet.path)).status }).toMatchObject({
        status: 200,
      })

    const [{ spec }] = readFolder(monitoring).objects as [Content]
    const [{ path, authorization }] = spec.podMetricsEndpoints
    const { key } = authorization.credentials
    expect(Object.keys(tokens)).toContain(key)
    const metrics = await ask(coordinator.url + path, 'GET', undefined, {
      authorization: `Bearer ${tokens[key as keyof typeof tokens]}`,
    })
    expect(metrics.status).toBe(200)
    expect((await ask(coordinator.url + path)).status).toBe(401)

    for (const host of ['coordinator', 'coordinator.coordinator', 'coordinator.coordinator.svc:3000'])
      expect({ host, status: await statusAs(host, `${coordinator.url}/health/ready`) }).toEqual({
        host,
        status: 200,
      })
  })
})
