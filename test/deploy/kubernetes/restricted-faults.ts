import type { Content } from './manifests.ts'

const volumeTypes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

/** @see https://kubernetes.io/docs/concepts/security/pod-security-standards/ for the rules of the profile `restricted` */
export function restrictedFaults(pod: Content): string[] {
  const faults: string[] = []
  const must = (holds: boolean, rule: string) => {
    if (!holds) faults.push(rule)
  }
  const shared = pod.securityContext ?? {}
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC'])
    must(pod[name] !== true, `${name} must not be true`)
  must((shared.sysctls ?? []).length === 0, 'sysctls must not be set')
  for (const { name, ...volume } of pod.volumes ?? [])
    must(
      Object.keys(volume).every((type) => volumeTypes.includes(type)),
      `volume ${name} must not be ${Object.keys(volume)}`,
    )
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const own = container.securityContext ?? {}
    const { add = [], drop = [] } = own.capabilities ?? {}
    const effective = { ...shared, ...own }
    must(own.privileged !== true, 'privileged must not be true')
    must(own.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation must be false')
    must(drop.includes('ALL'), 'capabilities must drop ALL')
    must(
      add.every((name: string) => name === 'NET_BIND_SERVICE'),
      `capabilities must not add ${add}`,
    )
    must(effective.runAsNonRoot === true, 'runAsNonRoot must be true')
    must(effective.runAsUser !== 0, 'runAsUser must not be 0')
    must(
      ['RuntimeDefault', 'Localhost'].includes(effective.seccompProfile?.type),
      'seccompProfile must be RuntimeDefault or Localhost',
    )
    must([undefined, 'Default'].includes(own.procMount), 'procMount must be Default')
    must(
      (container.ports ?? []).every((port: Content) => !port.hostPort),
      'hostPort must not be set',
    )
    const handlers = [
      ...[container.startupProbe, container.livenessProbe, container.readinessProbe],
      ...Object.values<Content>(container.lifecycle ?? {}),
    ]
    must(
      handlers.every((each) => (each?.httpGet ?? each?.tcpSocket)?.host === undefined),
      'probes must not name a host',
    )
  }
  return faults
}
