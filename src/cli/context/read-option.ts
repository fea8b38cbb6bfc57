import type { Kind } from '../../config/setting.ts'
import { CoordinatorError } from '../../errors.ts'

/**
 * Reads an option that corresponds to a setting and takes the same values. The error does not repeat a wrong value, because it may contain
 * a password.
 *
 * @throws COORD_CLI_USAGE for a value that is not allowed
 */
export function readOption<T>(option: string, { kind }: { readonly kind: Kind<T> }, value: string): T {
  const parsed = kind.schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `${option} must be ${kind.label.replaceAll('`', '')}.`,
    hint: 'Run the command with --help.',
  })
}
