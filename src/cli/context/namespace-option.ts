import { Option } from 'commander'
import { readClientSettings } from '../../config/settings.ts'
import { settingsTable } from '../../config/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { readOption } from './read-option.ts'

export interface NamespaceOptions {
  readonly namespace?: string | undefined
  readonly allNamespaces?: true | undefined
}

/** `--namespace`, which wins over COORDINATOR_NAMESPACE, like every option over its variable. */
export function namespaceOption(about = 'only this namespace'): Option {
  return new Option('-n, --namespace <namespace>', `${about} (default: COORDINATOR_NAMESPACE)`)
}

/** `--all-namespaces`, for commands that show several namespaces at once: it overrides COORDINATOR_NAMESPACE. */
export function allNamespacesOption(): Option {
  return new Option(
    '-A, --all-namespaces',
    'every namespace, although COORDINATOR_NAMESPACE names one',
  ).conflicts('namespace')
}

/**
 * The namespace that the caller wants.
 *
 * @returns `undefined` if neither the option nor the variable names one
 * @throws COORD_CLI_USAGE for a wrong option, COORD_CONFIG_INVALID for a wrong variable
 */
export function namespaceOf(
  { namespace, allNamespaces }: NamespaceOptions,
  env: Terminal['env'],
): string | undefined {
  if (namespace !== undefined)
    return readOption('--namespace', settingsTable.client.coordinatorNamespace, namespace)
  return allNamespaces === true ? undefined : readClientSettings(env).coordinatorNamespace
}
