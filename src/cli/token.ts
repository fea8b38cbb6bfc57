import { Command } from 'commander'
import { type CommandContext, examplesOf } from './context/command-context.ts'
import { tokenCreateCommand } from './token/create.ts'
import { tokenListCommand } from './token/list.ts'
import { tokenRevokeCommand } from './token/revoke.ts'

const examples = `
These commands need a token with the scope admin: the value of AUTH_ADMIN_TOKEN, or a token that was created with --scope admin.

Examples:
  TOKEN=$(coordinator token create ci --scope read)
  coordinator token create cart --scope register:cart --scope read --expires never
  coordinator token create payments --scope 'register:payments-*' --expires 2027-01-31T12:00:00Z
  coordinator token create backup --scope read --expires 12h --json
  coordinator token list --all                           revoked ones, too
  coordinator token revoke ci
`

/** `coordinator token`: who may use a coordinator. */
export function tokenCommand(context: CommandContext): Command {
  const token = new Command('token')
    .description('Create, list and revoke tokens.')
    .addHelpText('after', examples)
  for (const command of [tokenCreateCommand(context), tokenListCommand(context), tokenRevokeCommand(context)])
    token.addCommand(command.addHelpText('after', examplesOf(`token ${command.name()}`, examples)))
  return token
}
