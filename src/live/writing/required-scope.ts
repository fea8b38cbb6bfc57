import type { Principal } from '../../access/principal.ts'
import type { Scope } from '../../access/scopes/scope.ts'
import { CoordinatorError } from '../../errors.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import type { Registration } from '../../records/service/service.ts'

/**
 * The gate of writes that are not about a single service.
 *
 * @throws COORD_SCOPE_MISSING
 */
export function requireScope({ grants }: Principal, scope: Scope): void {
  if (!grants.may(scope)) throw scopeMissing(scope)
}

/**
 * The gate of registrations: only names that the principal may register.
 *
 * @throws COORD_SCOPE_MISSING
 */
export function requireName(
  { grants }: Principal,
  { serviceName, namespace = DEFAULT_NAMESPACE }: Pick<Registration, 'serviceName' | 'namespace'>,
): void {
  if (!grants.mayRegister(serviceName, namespace)) throw scopeMissing(registerScope(serviceName, namespace))
}

/** The scope that covers one name and no other. `*` is encoded, too: at the end of a scope it would mean all names that begin like that. */
function registerScope(serviceName: string, namespace: string): string {
  const prefix = namespace === DEFAULT_NAMESPACE ? '' : `${namespace}/`
  return `register:${prefix}${encodeURIComponent(serviceName).replaceAll('*', '%2A')}`
}

function scopeMissing(scope: string): CoordinatorError {
  return new CoordinatorError('COORD_SCOPE_MISSING', {
    detail: `This needs the scope \`${scope}\`.`,
    outcome: 'not_written',
    extra: { scope },
  })
}
