import { parseScope } from '../../access/scopes/scope.ts'
import { CoordinatorError } from '../../errors.ts'
import { closestWord } from '../../text/closest-word.ts'
import { quoted } from '../../text/quoted.ts'

const words = ['read', 'graph', 'metrics', 'admin']

const forms =
  'A scope is read, graph, metrics, admin, register:NAME, register:PREFIX*, register:NAMESPACE/NAME, or register:*/* for every service. A name is percent-encoded.'

/** Adds one `--scope`. @throws COORD_CLI_USAGE, with every form that a scope can have */
export function collectScope(text: string, before: readonly string[] = []): readonly string[] {
  if (parseScope(text) !== undefined) return [...before, text]
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `${quoted(text, 100)} is not a scope.${suggestion(text)}`,
    hint: forms,
  })
}

export function noScope(): CoordinatorError {
  return new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'The token has no scope, so it would permit nothing. Add --scope.',
    hint: forms,
  })
}

function suggestion(text: string): string {
  const parts = text.split(/[,\s]+/).filter((part) => part !== '')
  if (parts.length > 1 && parts.every((part) => parseScope(part) !== undefined))
    return ` Repeat the option: ${parts.map((part) => `--scope ${part}`).join(' ')}.`
  const meant = closestWord(text, words)
  return meant === undefined ? '' : ` Is ${meant} meant?`
}
