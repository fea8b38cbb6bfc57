import type { Command } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import { countOf, textTable } from '../terminal/text-table.ts'
import { fetchTokens, stateOf, type TokenInfo } from './token-info.ts'

interface ListOptions extends ClientOptions {
  readonly all?: true
}

/** `coordinator token list`. */
export function tokenListCommand(context: CommandContext): Command {
  return withOutput(clientCommand('list', 'List the tokens. Their secrets are not shown.'))
    .option('--all', 'also those that were revoked')
    .action(async (options: ListOptions) => {
      const every = await fetchTokens(clientOf(options, context.terminal))
      const now = Date.now()
      const tokens = every
        .map((token) => ({ ...token, state: stateOf(token, now) }))
        .filter(({ state }) => options.all === true || state !== 'revoked')
      const hidden = every.length - tokens.length
      writeResult(context, options, { value: { tokens }, text: renderTokens(tokens, { now, hidden }) })
    })
}

interface Facts {
  /** Epoch milliseconds. */
  readonly now: number
  /** The number of revoked tokens that are not listed. */
  readonly hidden: number
}

/** The tokens as a table for people. */
export function renderTokens(tokens: readonly TokenInfo[], { now, hidden }: Facts): string {
  const head = ['NAME', 'ID', 'STATE', 'SCOPES', 'CREATED', 'BY', 'EXPIRES', 'LAST USED']
  const rows = tokens.map((token) => [
    ...[token.name, token.id, stateText(token, now), token.scopes.join(' ')],
    ...[timeText(token.createdAt), token.createdBy ?? ''],
    ...[token.expiresAt === null ? 'never' : timeText(token.expiresAt), timeText(token.lastUsedAt) || '-'],
  ])
  const more = hidden === 0 ? '' : `, and ${hidden} revoked (see --all)`
  const count = `${countOf(tokens.length, 'token')}${more}\n`
  return tokens.length === 0 ? count : `${textTable([head, ...rows])}${count}`
}

function stateText(token: TokenInfo, now: number): string {
  const state = stateOf(token, now)
  return state === 'revoked' ? `revoked ${timeText(token.revokedAt)} by ${token.revokedBy}` : state
}

/** To the minute: a table of whole times would not fit on a screen. */
function timeText(time: string | null | undefined): string {
  const at = Date.parse(time ?? '')
  return Number.isNaN(at) ? '' : `${new Date(at).toISOString().slice(0, 16)}Z`
}
