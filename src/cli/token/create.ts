import type { Command } from 'commander'
import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import { notCoordinator } from '../context/coordinator-client.ts'
import { printable } from '../terminal/text-table.ts'
import { collectScope, noScope } from './read-scope.ts'
import type { TokenInfo } from './token-info.ts'

interface CreateOptions extends ClientOptions {
  readonly scope?: readonly string[]
  readonly expires: string
}

/** `coordinator token create`: standard output gets the token and nothing else, so that a script can keep it in a variable. */
export function tokenCreateCommand(context: CommandContext): Command {
  const { terminal } = context
  return withOutput(clientCommand('create', 'Create a token, and print it. It is shown only this once.'))
    .argument('<name>', 'name of the token: lower-case letters, digits, dots, dashes and underscores')
    .option('--scope <scope>', 'what the token permits; repeat it for several', collectScope)
    .option('--expires <when>', 'such as 90d or 12h, a time such as 2027-01-31T12:00:00Z, or never', '90d')
    .action(async (name: string, options: CreateOptions) => {
      const { scope: scopes, expires } = options
      if (scopes === undefined) throw noScope()
      const client = clientOf(options, terminal)
      const body = JSON.stringify({ name, scopes, expires })
      const answer = await client.post('/tokens', body).catch((thrown) => {
        throw thrown instanceof CoordinatorError
          ? (wrongArgument(thrown) ?? perhapsCreated(thrown, name))
          : thrown
      })
      if (!isJsonObject(answer.body) || typeof answer.body['token'] !== 'string')
        throw notCoordinator(client.baseUrl, answer.status)
      const { success: _, ...created } = answer.body
      terminal.stderr.write(describe(created as unknown as CreatedToken))
      writeResult(context, options, { value: created, text: `${created['token']}\n` })
    })
}

interface CreatedToken extends TokenInfo {
  readonly warnings?: readonly { readonly message: string }[]
}

function describe({ id, name, scopes, expiresAt, warnings = [] }: CreatedToken): string {
  const end = expiresAt === null ? 'does not expire' : `expires at ${expiresAt}`
  const facts = `Created the token ${name} (id ${id}) with the scopes ${scopes.join(', ')}. It ${end}.`
  return [
    facts,
    'Store it now: it is shown only this once.',
    ...warnings.map(({ message }) => `warning: ${message}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('')
}

/** The arguments of the command, as fields of the request. */
const argumentOf: Readonly<Record<string, string>> = {
  name: 'The name',
  scopes: '--scope',
  expires: '--expires',
  expiresAt: '--expires',
}

/** An error that names the argument instead of the field of the request. @returns `undefined` for other errors */
function wrongArgument({ extra, errors }: CoordinatorError): CoordinatorError | undefined {
  const texts = errors.flatMap(({ path, message }) => {
    const argument = argumentOf[path.split('/')[1] ?? '']
    return argument === undefined ? [] : [`${argument} ${message}`]
  })
  if (extra['status'] !== 400 || texts.length === 0) return undefined
  const hint = 'Run `coordinator token create --help`.'
  return new CoordinatorError('COORD_CLI_USAGE', { detail: texts.join('; '), hint })
}

/** Without an answer, nobody has the secret of a token that may exist, and its name is taken. */
function perhapsCreated(thrown: CoordinatorError, name: string): CoordinatorError {
  const { cause, code, outcome, detail } = thrown
  const reason = (cause as { cause?: { code?: unknown } } | undefined)?.cause?.code
  const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(String(reason))
  const isOpen = code === 'COORD_CLI_UNREACHABLE' ? !neverSent : outcome === 'unknown'
  if (!isOpen) return thrown
  const next = `If it does, revoke it with \`coordinator token revoke ${name}\`, and create one with another name.`
  return thrown.with({
    detail: `${detail} The token may exist all the same: see \`coordinator token list\`.`,
    hint: next,
  })
}
