import type { Argument, Command, Option } from 'commander'

/** The words that may stand at the end of a command line. */
export interface Completion {
  readonly words: readonly string[]
  /** What the shell must complete itself, or the program must ask a coordinator about. */
  readonly also?: 'files' | 'services'
}

/**
 * Completes a command line, as far as the program itself knows.
 *
 * @param words what stands after the name of the program. The last word is the one to complete, and may be empty.
 */
export function complete(program: Command, words: readonly string[]): Completion {
  const before = words.slice(0, -1)
  const last = words.at(-1) ?? ''
  let command = program
  let taken = 0
  let pending: Option | undefined
  for (const word of before) {
    if (pending !== undefined) pending = undefined
    else if (word.startsWith('-')) pending = valueOption(command, word)
    else {
      const child = command.commands.find((candidate) => candidate.name() === word)
      if (child === undefined) taken += 1
      else [command, taken] = [child, 0]
    }
  }
  if (pending !== undefined) return startingWith(last, valuesOf(pending))
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(last) ?? []
  const assigned = name === undefined ? undefined : valueOption(command, name)
  if (assigned !== undefined) {
    const { words: found, also } = startingWith(value ?? '', valuesOf(assigned))
    return { words: found.map((word) => `${name}=${word}`), ...(also === undefined ? {} : { also }) }
  }
  if (last.startsWith('-')) return startingWith(last, { words: optionsOf(command) })
  const children = command.commands.filter((child) => !isHidden(child)).map((child) => child.name())
  const argument = command.registeredArguments[taken] ?? variadicEnd(command)
  return startingWith(last, argument === undefined ? { words: children } : argumentValues(argument, children))
}

function startingWith(start: string, { words, also }: Completion): Completion {
  const found = words.filter((word) => word.startsWith(start))
  return also === undefined ? { words: found } : { words: found, also }
}

function optionsOf(command: Command): readonly string[] {
  const own = command.options.filter(({ hidden }) => !hidden)
  return [...own.map(({ long, short }) => long ?? short ?? ''), '--help'].filter((word) => word !== '')
}

/** The option that a word names, if a value follows it. */
function valueOption(command: Command, word: string): Option | undefined {
  const option = command.options.find(({ long, short }) => word === long || word === short)
  return option?.required === true ? option : undefined
}

const serviceOptions: readonly string[] = ['--name', '--remove', '--around', '--depends-on']
const fileOptions: readonly string[] = ['--file', '--token-file', '--env-file']
/** What an option calls a value that is a file, whatever the option is called. */
const filePlaceholder = '<file>'

function valuesOf({ argChoices, long = '', flags }: Option): Completion {
  if (argChoices !== undefined) return { words: argChoices }
  if (serviceOptions.includes(long)) return { words: [], also: 'services' }
  return fileOptions.includes(long) || flags.endsWith(filePlaceholder)
    ? { words: [], also: 'files' }
    : { words: [] }
}

function argumentValues(argument: Argument, children: readonly string[]): Completion {
  const words = [...children, ...(argument.argChoices ?? [])]
  const name = argument.name()
  if (['service', 'node', 'from', 'to'].includes(name) && !isMoment(argument))
    return { words, also: 'services' }
  return name === 'file' ? { words, also: 'files' } : { words }
}

/** `graph diff` takes moments, and names its arguments as `graph path` does. */
function isMoment({ description }: Argument): boolean {
  return description.includes('moment')
}

function variadicEnd({ registeredArguments }: Command): Argument | undefined {
  const last = registeredArguments.at(-1)
  return last?.variadic === true ? last : undefined
}

/** Commander has no public way to ask this, but its help leaves out hidden commands. */
function isHidden(command: Command): boolean {
  return !command.parent?.createHelp().visibleCommands(command.parent).includes(command)
}
