import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import type { AccessState, AccessStore, NewToken, StoredToken } from '../access-store.ts'
import { checkSeededTokens } from '../check-replay.ts'
import { checkRevocation, checkToken, tokenNameTaken, tokenNotFound, tooManyTokens } from '../check-token.ts'
import type { AskFunction } from './ask-function.ts'
import { listOf, numberOf, objectOf, type Reply, requireOk, textOf, textsOf } from './read-reply.ts'

/** The most tokens in a page of `access_load`: at most 9 MB, and less than 200 KB as a rule. */
const PAGE_MAX_TOKENS = 500
/** How often a load begins again because somebody changed tokens in the meantime. */
const LOAD_ATTEMPTS = 5

interface TokenPage {
  readonly version: string
  readonly requiredSince: Revision | null
  readonly tokens: readonly StoredToken[]
  readonly more: boolean
}

/** Keeps tokens in the table `access_tokens`, through the functions of the schema. */
export class FunctionAccessStore implements AccessStore {
  readonly #ask: AskFunction
  readonly #schemaNumber: number
  readonly #pageSize: number

  /** @param schemaNumber the schema number of this program */
  constructor(ask: AskFunction, { schemaNumber, pageSize }: { schemaNumber: number; pageSize: number }) {
    this.#ask = ask
    this.#schemaNumber = schemaNumber
    this.#pageSize = Math.min(pageSize, PAGE_MAX_TOKENS)
  }

  async load(): Promise<AccessState> {
    for (let attempt = 1; attempt <= LOAD_ATTEMPTS; attempt += 1) {
      const state = await this.#loadOnce()
      if (state !== undefined) return state
    }
    throw new CoordinatorError('COORD_STORE_BUSY', {
      detail: 'The tokens changed again and again while they were being loaded.',
    })
  }

  async put(token: NewToken): Promise<StoredToken> {
    checkToken(token)
    const { id, name, scopes, secretHash, createdBy, expiresAt } = token
    const argument = { token: { id, name, scopes, secretHash, createdBy, expiresAt } }
    return await this.#write('access_put', argument, storedTokenOf)
  }

  async revoke(id: string, by: string): Promise<StoredToken> {
    checkRevocation(id, by)
    return await this.#write('access_revoke', { id, by }, storedTokenOf)
  }

  async require(): Promise<void> {
    await this.#write('access_require', {}, readRequired)
  }

  async seed(state: Omit<AccessState, 'version'>): Promise<AccessState> {
    checkSeededTokens(state)
    const { requiredSince, tokens } = state
    await this.#write('access_seed', { requiredSince, tokens: tokens.map(storedMembers) }, requireStored)
    return await this.load()
  }

  /** @returns `undefined` if the pages are of different versions */
  async #loadOnce(): Promise<AccessState | undefined> {
    const tokens: StoredToken[] = []
    let first: TokenPage | undefined
    for (let more = true; more; ) {
      const argument = JSON.stringify({ after: tokens.at(-1)?.id, limit: this.#pageSize })
      const page = await this.#ask('access_load', argument, pageOf)
      first ??= page
      if (page.version !== first.version) return undefined
      tokens.push(...page.tokens)
      more = page.more && page.tokens.length > 0
    }
    return first && { version: first.version, requiredSince: first.requiredSince, tokens }
  }

  #write<T>(
    name: 'access_put' | 'access_revoke' | 'access_require' | 'access_seed',
    argument: object,
    read: (reply: Reply) => T,
  ): Promise<T> {
    const text = JSON.stringify({ schema: this.#schemaNumber, ...argument })
    return this.#ask(name, text, read, 'writer')
  }
}

function readRequired(reply: Reply): void {
  if (reply['status'] === 'anon_allowed')
    throw new CoordinatorError('COORD_CONFIG_INVALID', {
      detail:
        'AUTH=required protects nothing here: the database lets everybody write who has the public key of the Supabase project.',
      hint: 'Run `coordinator migrate --forbid-anon` with DATABASE_URL set to the connection string of the project, or set AUTH=off.',
      outcome: 'not_written',
    })
  requireOk(reply)
}

function storedTokenOf(reply: Reply): StoredToken {
  requireStored(reply)
  return tokenOf(reply['token'])
}

function requireStored(reply: Reply): void {
  switch (reply['status']) {
    case 'name_taken':
      throw tokenNameTaken()
    case 'too_many':
      throw tooManyTokens()
    case 'not_found':
      throw tokenNotFound()
    default:
      requireOk(reply)
  }
}

/** Exactly the members that are stored: nothing else of an object that a caller gives must reach the database. */
function storedMembers(token: StoredToken): StoredToken {
  const { id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy } = token
  return { id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy }
}

function pageOf(reply: Reply): TokenPage {
  requireOk(reply)
  return {
    version: textOf(reply, 'version'),
    requiredSince: orNull(reply, 'requiredSince', numberOf),
    tokens: listOf(reply, 'tokens').map(tokenOf),
    more: reply['more'] === true,
  }
}

function tokenOf(value: unknown): StoredToken {
  const token = objectOf(value, 'a token')
  return {
    id: textOf(token, 'id'),
    name: textOf(token, 'name'),
    scopes: textsOf(token, 'scopes'),
    secretHash: textOf(token, 'secretHash'),
    createdAt: numberOf(token, 'createdAt'),
    createdBy: textOf(token, 'createdBy'),
    expiresAt: orNull(token, 'expiresAt', numberOf),
    revokedAt: orNull(token, 'revokedAt', numberOf),
    revokedBy: orNull(token, 'revokedBy', textOf),
  }
}

function orNull<T>(reply: Reply, member: string, read: (reply: Reply, member: string) => T): T | null {
  return reply[member] === null ? null : read(reply, member)
}
