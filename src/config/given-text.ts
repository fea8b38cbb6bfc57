import type { Findings } from './findings.ts'
import { readSecretFile } from './secret-file.ts'
import type { Setting } from './setting.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable that is set. */
export interface GivenText {
  /** Its name, which is an alias or the form with `_FILE` where that one is set. */
  readonly variable: string
  readonly text: string
}

type Definition = Pick<Setting<unknown>, 'name' | 'aliases' | 'secret'>

/** The names of the variables of a setting: its own, its aliases, and those that name a file with a secret. */
export function variablesOf({ name, aliases = [], secret }: Definition): string[] {
  const names = [name, ...aliases]
  return secret === undefined ? names : [...names, ...names.map(fileForm)]
}

/** The variable of a setting that is set, whatever its value. */
export function variableOf(definition: Definition, env: Environment): string | undefined {
  return variablesOf(definition).find((variable) => textOf(variable, env) !== '')
}

/** The text of a variable, of its alias, or of the file that one of them names; `undefined` if none is set, or after a fault. */
export function givenText(
  definition: Definition,
  env: Environment,
  findings: Findings,
): GivenText | undefined {
  const names = [definition.name, ...(definition.aliases ?? [])]
  const plain = names.flatMap((variable) => setIn(variable, env))
  const files = definition.secret === undefined ? [] : names.flatMap((name) => setIn(fileForm(name), env))
  const [file] = files
  if (file !== undefined && plain[0] !== undefined)
    return findings.fault(file.variable, `and ${plain[0].variable} are both set: unset one of them`)
  const texts = file === undefined ? plain : files.flatMap((named) => textOfFile(named, findings))
  const [first, second] = texts
  if (first === undefined) return undefined
  if (second !== undefined && second.text !== first.text)
    findings.warn(`${first.variable} is used; ${second.variable} is another name for it, with another value.`)
  // `docker run --env-file` keeps quotation marks as part of the value.
  const unquoted = /^(["'])(.*)\1$/s.exec(first.text)?.[2]
  if (unquoted === undefined) return first
  findings.fault(first.variable, 'has quotation marks around its value: remove them')
  return { variable: first.variable, text: unquoted }
}

function fileForm(name: string): string {
  return `${name}_FILE`
}

function textOf(variable: string, env: Environment): string {
  return env[variable]?.trim() ?? ''
}

function setIn(variable: string, env: Environment): GivenText[] {
  const text = textOf(variable, env)
  return text === '' ? [] : [{ variable, text }]
}

function textOfFile({ variable, text: path }: GivenText, findings: Findings): GivenText[] {
  const read = readSecretFile(path)
  if ('text' in read) return [{ variable, text: read.text }]
  findings.fault(variable, read.fault)
  return []
}
