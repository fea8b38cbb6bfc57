import { Access } from './access/access.ts'
import type { JwtVerifier } from './access/jwt/jwt-verifier.ts'
import type { AccessSettings, JwtSettings } from './config/access-settings.ts'
import type { AccessStore } from './database/store.ts'
import type { Logger } from './telemetry/logging.ts'

interface Surroundings {
  /** Where tokens are kept. */
  readonly store: AccessStore
  readonly logger: Logger
}

/**
 * Puts together who may do what: the secrets of the settings, the tokens of the store, and JWTs.
 *
 * @throws COORD_CONFIG_INVALID
 */
export async function createAccess(
  settings: AccessSettings,
  { store, logger }: Surroundings,
): Promise<Access> {
  const { mode, anonymous, adminToken, metricsToken, notBefore, jwt } = settings
  return new Access({
    ...{ mode, anonymous, notBefore, store },
    adminToken: adminToken?.reveal(),
    metricsToken: metricsToken?.reveal(),
    jwt: jwt && (await createVerifier(jwt, notBefore, logger)),
    onFault: (error) =>
      error.code === 'COORD_CONFIG_INVALID'
        ? logger.error({ err: error }, 'access cannot be protected')
        : logger.warn({ err: error }, 'the tokens cannot be read; those that are known count'),
  })
}

/** Its modules are loaded only where they are needed: they take memory, and time at the start. */
async function createVerifier(
  { secret, ...jwt }: JwtSettings,
  notBefore: number | undefined,
  logger: Logger,
): Promise<JwtVerifier> {
  const { JwtVerifier } = await import('./access/jwt/jwt-verifier.ts')
  return new JwtVerifier({
    ...jwt,
    ...(secret === undefined ? {} : { secret: secret.reveal() }),
    ...(notBefore === undefined ? {} : { notBefore }),
    onFault: (fault) =>
      fault === undefined
        ? logger.info('the keys of JWTs can be fetched again')
        : logger.warn({ err: fault }, 'the keys of JWTs cannot be fetched'),
  })
}

/** What the log says where nobody may create the first token. */
export const NO_ADMINISTRATOR =
  'AUTH=required, and nobody may administer: set AUTH_ADMIN_TOKEN to a secret of at least 32 characters (`openssl rand -base64 32`), restart, then run `coordinator token create NAME --scope admin`'

/** What the log says about tokens that anybody may have created. */
export const OPEN_TIMES =
  'these tokens were created while nobody had to prove who they are: list them with `coordinator token list`, and revoke those that you do not know'
