import { z } from 'zod'
import type { TokenInfo } from '../../access/known-token.ts'
import { TOKEN_NAME } from '../../database/access-store.ts'
import { bodyLengths } from '../../records/body/body-lengths.ts'
import { warningSchema } from './schemas.ts'

const success = z.literal(true)
const time = z.iso.datetime()

const scopesMax = 64
const scopeMaxLength = 2_048

/** The body of `POST /tokens`. A misspelled member would lead to another token than was meant, so unknown members are refused. */
export const tokenWishSchema = z
  .strictObject({
    name: z.string().regex(TOKEN_NAME, 'must be 1 to 63 of the characters a-z, 0-9, ".", "_" and "-"').meta({
      maxLength: 63,
      description: 'The journal names it as the author of changes. It is never used for another token.',
    }),
    scopes: z
      .array(z.string().meta({ maxLength: scopeMaxLength }))
      .register(bodyLengths, { maxItems: scopesMax })
      .meta({
        minItems: 1,
        maxItems: scopesMax,
        description:
          'What the token permits: `read`, `graph`, `metrics`, `admin`, or `register:[namespace/]name`, with percent-encoded names; `*` may only end a name.',
      }),
    expires: z.string().meta({ maxLength: 64 }).default('90d').meta({
      description: 'A duration such as `90d` or `12h`, a time such as `2027-01-31T12:00:00Z`, or `never`.',
    }),
  })
  .meta({ id: 'TokenWish' })

export const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
    revokedBy: z.string().nullable(),
    state: z.enum(['active', 'expired', 'revoked', 'refused']).meta({
      description: 'Whether it counts now. `refused`: it was created before AUTH_NOT_BEFORE.',
    }),
    lastUsedAt: time.nullable().meta({
      description: 'When this coordinator last accepted it; `null` if it has not done so since it started.',
    }),
  })
  .meta({ id: 'Token' })

export const createdTokenSchema = tokenSchema
  .extend({
    success,
    token: z.string().meta({ description: 'The token itself. It is shown only this once.' }),
    warnings: z.array(warningSchema),
  })
  .meta({ id: 'CreatedToken' })

export const tokenListSchema = z.object({ success, tokens: z.array(tokenSchema) }).meta({ id: 'TokenList' })

export const revokedTokenSchema = tokenSchema.extend({ success }).meta({ id: 'RevokedToken' })

export const accessAnswerSchema = z
  .object({
    success,
    mode: z.enum(['open', 'off', 'required']),
    kind: z.string().meta({
      description:
        'How the caller proved who it is: `token`, `admin`, `metrics`, `jwt`, `anonymous`, or `open`.',
    }),
    actor: z.string().meta({ description: 'The author of the changes of this caller, in the journal.' }),
    scopes: z.array(z.string()),
    expiresAt: time.nullable(),
    nextStep: z.string().optional().meta({ description: 'How to make the first token, if there is none.' }),
  })
  .meta({ id: 'CallerAccess' })

/** A token in the form for answers. */
export function shownToken(info: TokenInfo): z.output<typeof tokenSchema> {
  const { id, name, scopes, createdBy, revokedBy } = info
  return {
    ...{ id, name, scopes: [...scopes] },
    createdAt: isoTime(info.createdAt),
    createdBy,
    expiresAt: isoTimeOrNull(info.expiresAt),
    revokedAt: isoTimeOrNull(info.revokedAt),
    revokedBy,
    state: info.state,
    lastUsedAt: isoTimeOrNull(info.lastUsedAt),
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms)
}
