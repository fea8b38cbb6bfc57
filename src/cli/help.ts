import { Command } from 'commander'
import { closestWord } from '../text/closest-word.ts'

/**
 * `coordinator help`, also below commands with subcommands. Commander's own help command prints the whole help for an unknown
 * name, and does not say that the name is unknown.
 */
export function helpCommand(parent: Command): Command {
  return new Command('help')
    .description('Show help for a command.')
    .argument('[command...]')
    .action((names: readonly string[]) => {
      let asked = parent
      for (const name of names) asked = commandOf(asked, name)
      asked.help()
    })
}

function commandOf(parent: Command, name: string): Command {
  const found = parent.commands.find((command) => command.name() === name)
  if (found !== undefined) return found
  const meant = closestWord(
    name,
    parent.commands.map((command) => command.name()),
  )
  const suggestion = meant === undefined ? '' : `\n(Did you mean ${meant}?)`
  return parent.error(`error: unknown command '${name}'${suggestion}`)
}
