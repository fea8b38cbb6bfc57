import { Argument, Command } from 'commander'
import { complete } from './completion/complete.ts'
import { completionScripts } from './completion/scripts.ts'
import { serviceNames } from './completion/service-names.ts'
import type { CommandContext } from './context/command-context.ts'

const shells = Object.keys(completionScripts) as (keyof typeof completionScripts)[]

const examples = `
The shell then completes commands, options, and names of services if a coordinator answers at COORDINATOR_URL.

Examples:
  source <(coordinator completion bash)                    for this shell; put the line into ~/.bashrc to keep it
  source <(coordinator completion zsh)                     put the line into ~/.zshrc, below compinit
  coordinator completion fish > ~/.config/fish/completions/coordinator.fish
`

/** `coordinator completion`: a script with which a shell completes commands. */
export function completionCommand({ terminal }: CommandContext): Command {
  return new Command('completion')
    .description('Print a script with which a shell completes these commands.')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText('after', examples)
    .action((shell: (typeof shells)[number]) => {
      terminal.stdout.write(completionScripts[shell])
    })
}

/** `coordinator complete-words`: what the scripts ask. The help does not show it. */
export function completeWordsCommand({ terminal }: CommandContext, program: Command): Command {
  return new Command('complete-words')
    .description('Print the words that can end a command line.')
    .argument('[words...]', 'the words after the name of the program; the last one is not finished')
    .action(async (words: readonly string[]) => {
      const { words: known, also } = complete(program, words)
      const start = words.at(-1) ?? ''
      const names = also === 'services' ? await serviceNames(terminal.env, start) : []
      terminal.stdout.write(`${[also === 'files' ? 'files' : 'words', ...known, ...names].join('\n')}\n`)
    })
}
