import { type Command, Option } from 'commander'
import { Document, visit } from 'yaml'
import type { Terminal } from '../terminal/terminal.ts'
import { hasUnescapedControl, printableJson } from '../terminal/text-table.ts'

/** `table` and `wide` are for people, `json` and `yaml` for programs. */
export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml'] as const

export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

export interface OutputOptions {
  readonly output?: OutputFormat | undefined
  readonly json?: true | undefined
}

/** A result in every form in which it can be printed. */
export interface Result {
  /** What programs get. */
  readonly value: unknown
  /** The text for people. A function gets `true` for `-o wide`. */
  readonly text: string | ((wide: boolean) => string)
}

/** Gives a command the options `-o` and `--json`. */
export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <format>', 'how to print the result; wide is a table with more in it')
        .choices(OUTPUT_FORMATS)
        .conflicts('json'),
    )
    .option('--json', 'the same as -o json')
}

/** How a command prints its result. @default `table` */
export function formatOf({ output = 'table', json }: OutputOptions): OutputFormat {
  return json === true ? 'json' : output
}

/** Whether a program reads the result, so that nothing else may be in it. */
export function isData(options: OutputOptions): boolean {
  const format = formatOf(options)
  return format === 'json' || format === 'yaml'
}

/** A result as it is printed. Several of them, one after another, are JSON Lines, or documents of YAML. */
export function printed(options: OutputOptions, { value, text }: Result): string {
  const format = formatOf(options)
  if (format === 'json') return `${printableJson(JSON.stringify(value))}\n`
  if (format === 'yaml') return `---\n${yamlOf(value)}`
  return typeof text === 'string' ? text : text(format === 'wide')
}

/** Writes a result to standard output. */
export function writeResult(
  { terminal: { stdout } }: { readonly terminal: Pick<Terminal, 'stdout'> },
  options: OutputOptions,
  result: Result,
): void {
  stdout.write(printed(options, result))
}

/** YAML without anchors, which few readers know, and without breaks in long lines, which would make texts hard to compare. */
function yamlOf(value: unknown): string {
  const document = new Document(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false })
  // Only texts in double quotes can have escapes.
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && hasUnescapedControl(scalar.value)) scalar.type = 'QUOTE_DOUBLE'
    },
  })
  return printableJson(document.toString({ lineWidth: 0 }))
}
