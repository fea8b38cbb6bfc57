import type { Command } from 'commander'
import { CoordinatorError } from '../../errors.ts'
import { closestWord } from '../../text/closest-word.ts'
import { quoted } from '../../text/quoted.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import { printable } from '../terminal/text-table.ts'
import { fetchTokens, type TokenInfo } from './token-info.ts'

/** `coordinator token revoke`. */
export function tokenRevokeCommand(context: CommandContext): Command {
  return withOutput(clientCommand('revoke', 'Revoke a token for ever. Open streams of the token end, too.'))
    .argument('<token>', 'id or name of the token')
    .action(async (given: string, options: ClientOptions) => {
      refuseSecret(given)
      const client = clientOf(options, context.terminal)
      const { id, name, revokedAt } = findToken(await fetchTokens(client), given)
      const before = revokedAt === undefined || revokedAt === null ? undefined : revokedAt
      if (before === undefined) await client.delete(`/tokens/${encodeURIComponent(id)}`)
      const fact =
        before === undefined
          ? `The token ${name} (id ${id}) is revoked.`
          : `The token ${name} (id ${id}) was revoked before, at ${before}.`
      writeResult(context, options, {
        value: { id, name, changed: before === undefined },
        text: `${printable(fact)}\n`,
      })
    })
}

/** Other users of the machine can read the arguments of a command. */
function refuseSecret(given: string): void {
  const [, id] = /^cdt_([0-9A-Za-z]{12})_/.exec(given) ?? []
  if (id === undefined) return
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'That is a whole token. Other users of this machine can read the arguments of a command.',
    hint: `Give only its id: \`coordinator token revoke ${id}\`.`,
  })
}

/** @throws COORD_TOKEN_NOT_FOUND, or COORD_CLI_USAGE if the text is the id of one token and the name of another */
function findToken(tokens: readonly TokenInfo[], given: string): TokenInfo {
  const [found, second] = tokens.filter(({ id, name }) => id === given || name === given)
  if (found === undefined) {
    const meant = closestWord(
      given,
      tokens.map(({ name }) => name),
    )
    throw new CoordinatorError('COORD_TOKEN_NOT_FOUND', {
      detail: `No token has the id or the name ${quoted(given, 100)}.${meant === undefined ? '' : ` Is ${meant} meant?`}`,
    })
  }
  if (second === undefined) return found
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `${quoted(given, 100)} is the id of one token and the name of another.`,
    hint: 'Give the id of the token that you mean; `coordinator token list` shows both.',
  })
}
