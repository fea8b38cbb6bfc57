import { execFile } from 'node:child_process'
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import packageJson from '../../../package.json' with { type: 'json' }
import { scratchFolder } from '../../main/coordinator-process.ts'
import { itWithKustomize } from './kustomize.ts'
import {
  type Applied,
  type Content,
  type KubernetesObject,
  monitoring,
  overlays,
  readFolder,
  workloadOf,
} from './manifests.ts'
import { referenceFaults } from './reference-faults.ts'
import { restrictedFaults } from './restricted-faults.ts'
import { schemaFaults } from './schema-faults.ts'

const execute = promisify(execFile)

/** The secret that docs/kubernetes.md makes. */
const secrets = ['coordinator']

/** A folder together with what can be applied beside it. */
function withMonitoring(folder: string): Applied {
  const applied = readFolder(folder)
  const watched = readFolder(monitoring)
  return {
    ...applied,
    objects: [...applied.objects, ...watched.objects],
    faults: [...applied.faults, ...watched.faults],
  }
}

function podOf({ objects }: Applied): Content {
  return workloadOf(objects).spec.template.spec
}

const faultsOf = async (applied: Applied) => [
  ...(await Promise.all(applied.objects.map(schemaFaults))).flat(),
  ...referenceFaults(applied, secrets),
  ...restrictedFaults(podOf(applied)),
]

it('every folder of deploy/kubernetes is checked', () => {
  expect(
    readdirSync('deploy/kubernetes/overlays').map((name) => `deploy/kubernetes/overlays/${name}`),
  ).toEqual([...overlays])
  expect(readdirSync('deploy/kubernetes')).toEqual(['base', 'monitoring', 'overlays'])
})

describe.each(overlays)('%s', (folder) => {
  it('lists every file, and has the schema, the names and the restrictions that a cluster wants', async () => {
    const applied = withMonitoring(folder)
    expect(applied.faults).toEqual([])
    expect(applied.objects.length).toBeGreaterThan(5)
    expect(await faultsOf(applied)).toEqual([])
  })

  it('calls the version of this package', () => {
    expect(readFileSync(`${folder}/kustomization.yaml`, 'utf8')).toContain(`newTag: ${packageJson.version}\n`)
  })

  itWithKustomize('makes the same objects as Kustomize does', async () => {
    const { stdout } = await execute('kubectl', ['kustomize', folder])
    const made: Content[] = parseAllDocuments(stdout).map((document) => document.toJS())
    const nameOf = ({ kind, metadata }: Content) =>
      `${kind} ${metadata.name.replace(/^coordinator-[a-z0-9]{10}$/, 'coordinator')}`
    const own = readFolder(folder)
    expect(made.map(nameOf).toSorted()).toEqual(
      [...own.objects.map(nameOf), ...own.configMaps.map((name) => `ConfigMap ${name}`)].toSorted(),
    )
    expect(made.find(({ kind }) => kind === 'ConfigMap').data).toEqual(own.settings)
    const pod = workloadOf(made).spec.template.spec
    expect(pod.containers[0].image).toBe(`registry.example.org/coordinator:${packageJson.version}`)
    expect({ ...pod, containers: [] }).toEqual({ ...podOf(own), containers: [] })
    // Everything but the namespace itself is in the namespace.
    expect(
      made.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'coordinator'),
    ).toEqual([])
  })
})

describe('the pods of the overlays', () => {
  it('differ only in their data, and in what only several coordinators need', () => {
    const [postgres, sqlite] = overlays.map((folder) => podOf(readFolder(folder)))
    const { topologySpreadConstraints, ...shared } = postgres
    const [{ lifecycle, ...container }] = shared.containers
    expect([topologySpreadConstraints, lifecycle]).not.toContain(undefined)
    const [{ volumeMounts, ...other }] = sqlite.containers
    expect({ ...sqlite, containers: [other] }).toEqual({
      ...shared,
      containers: [{ ...container, volumeMounts: undefined }],
    })
    expect(volumeMounts).toEqual([{ name: 'data', mountPath: '/data' }, ...container.volumeMounts])
  })
})

function find(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind)
  if (found === undefined) throw new Error(`there is no ${kind}`)
  return found
}

/** Mistakes, and the fault that is found. Each changes a copy of the objects. */
const mistakes: Readonly<Record<string, (applied: Applied, container: Content) => void>> = {
  '/spec/template/spec/containers/0/imagePullPolice does not exist': (_, container) => {
    container.imagePullPolice = 'Always'
  },
  '/spec/template/spec/containers/0/livenessProbe/periodSecond does not exist': (_, container) => {
    container.livenessProbe.periodSecond = 3
  },
  terminationGracePeriodSeconds: (applied) => {
    podOf(applied).terminationGracePeriodSeconds = '30s'
  },
  'no port htpp': (_, container) => {
    container.readinessProbe.httpGet.port = 'htpp'
  },
  'no secret coordinator-secret': (applied) => {
    podOf(applied).volumes[0].secret.secretName = 'coordinator-secret'
  },
  'no volume secret': (_, container) => {
    container.volumeMounts.at(-1).name = 'secret'
  },
  'no service account default-account': (applied) => {
    podOf(applied).serviceAccountName = 'default-account'
  },
  'no config map settings': (_, container) => {
    container.envFrom[0].configMapRef.name = 'settings'
  },
  'no image coordinatr': (_, container) => {
    container.image = 'coordinatr'
  },
  'Service coordinator chooses no pod': ({ objects }) => {
    find(objects, 'Service').spec.selector = { app: 'coordinator' }
  },
  'NetworkPolicy coordinator-clients chooses no pod': ({ objects }) => {
    find(objects, 'NetworkPolicy').spec.podSelector.matchLabels['app.kubernetes.io/name'] = 'x'
  },
  'PodMonitor coordinator chooses no pod': ({ objects }) => {
    find(objects, 'PodMonitor').spec.selector.matchLabels = {}
  },
  'capabilities must drop ALL': (_, container) => {
    container.securityContext.capabilities.drop = ['NET_RAW']
  },
  'allowPrivilegeEscalation must be false': (_, container) => {
    delete container.securityContext.allowPrivilegeEscalation
  },
  'runAsNonRoot must be true': (applied) => {
    podOf(applied).securityContext.runAsNonRoot = false
  },
  'seccompProfile must be RuntimeDefault or Localhost': (applied) => {
    podOf(applied).securityContext.seccompProfile.type = 'Unconfined'
  },
  'volume host must not be hostPath': (applied, container) => {
    podOf(applied).volumes.push({ name: 'host', hostPath: { path: '/' } })
    container.volumeMounts.push({ name: 'host', mountPath: '/host' })
  },
  'hostNetwork must not be true': (applied) => {
    podOf(applied).hostNetwork = true
  },
}

describe('a mistake in the manifests', () => {
  it('is found: a file that no kustomization lists, and an entry that these tests do not know', async () => {
    await using scratch = await scratchFolder()
    const copy = join(scratch.path, 'kubernetes')
    cpSync('deploy/kubernetes', copy, { recursive: true })
    writeFileSync(join(copy, 'base/forgotten.yaml'), 'kind: Service\n')
    appendFileSync(join(copy, 'overlays/sqlite/kustomization.yaml'), 'namePrefix: my-\n')
    const { faults } = readFolder(join(copy, 'overlays/sqlite'))
    expect(faults.map((fault) => fault.replace(/^.*kubernetes\//, ''))).toEqual([
      'base/forgotten.yaml is not listed',
      'overlays/sqlite/kustomization.yaml: namePrefix is not understood',
    ])
  })

  it.each(Object.entries(mistakes))('is found: %s', async (fault, plant) => {
    for (const folder of overlays) {
      const applied = structuredClone(withMonitoring(folder))
      plant(applied, podOf(applied).containers[0])
      const faults = await faultsOf(applied)
      expect(
        faults.filter((each) => each.includes(fault)),
        faults.join('\n'),
      ).toHaveLength(1)
    }
  })
})
