import { quoted, shell } from '../../parts/shell-command.ts'
import type { ChangeWish } from './change-wish.ts'

/**
 * The question as a command of the coordinator. It ends with 1 if something would break.
 *
 * @returns a text without a command where it cannot ask that: it takes no registrations, and one namespace at a time
 */
export function cliCommand(address: string, { remove, changeVersion, register }: ChangeWish): CliCommand {
  const namespaces = new Set([...remove, ...changeVersion].map(({ namespace }) => namespace))
  if (register.trim() !== '') return { why: 'The command takes no registrations: use curl.' }
  if (namespaces.size > 1)
    return { why: 'The command changes one namespace at a time: use curl for several.' }
  const [namespace] = namespaces
  const options = [
    ...remove.map(({ serviceName }) => ['--remove', serviceName]),
    ...changeVersion.map(({ serviceName, version }) => ['--version', `${serviceName}=${version}`]),
    ...(namespace === undefined ? [] : [['--namespace', namespace]]),
    ['--url', address],
  ]
  const values = options.map(([, value = '']) => value)
  // Only to find out whether every value may be pasted.
  if (values.some((value) => shell`${value}` === undefined)) return { command: undefined }
  const words = options.map(([option, value = '']) => `${option} ${quoted(value)}`)
  return { command: `npx coordinator graph what-if ${words.join(' ')}` }
}

export type CliCommand =
  | { readonly command: string | undefined; readonly why?: undefined }
  | { readonly why: string; readonly command?: undefined }
