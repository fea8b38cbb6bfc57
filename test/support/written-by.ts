import { PROGRAM, type Principal } from '../../src/access/principal.ts'
import { Grants } from '../../src/access/scopes/grants.ts'
import type { WriteContext } from '../../src/live/writing/write-context.ts'

/** A write of somebody who may do everything, or of a principal. */
export function writtenBy(actor: string, principal: Principal = PROGRAM): WriteContext {
  return { actor, principal }
}

/** A principal with a token that has these scopes. Its id is `token:` with its name. */
export function holderOf(scopes: readonly string[], name = 'ci'): Principal {
  return { kind: 'token', id: `token:${name}`, actor: `token:${name}`, grants: new Grants(scopes) }
}

/** A write of the holder of a token with these scopes. */
export function writtenWith(scopes: readonly string[], name = 'ci'): WriteContext {
  return writtenBy(`token:${name}`, holderOf(scopes, name))
}
