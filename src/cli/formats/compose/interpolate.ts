/** Values of variables, as a file `.env` or a shell has them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A text with its variables filled in. */
export interface Interpolated {
  readonly text: string
  /** The variables that have no value and no default. An empty text stands in their place, as in Docker Compose. */
  readonly missing: ReadonlySet<string>
}

/** More levels of `${A:-${B:-x}}` than this are left as they are. */
const MAX_LEVELS = 20

/** Fills in the variables of a text by the rules of Compose: `$A`, `${A}`, `${A:-default}`, `${A-default}`, `${A:?error}`, `${A:+other}`, `$$`. */
export function interpolate(text: string, variables: Variables): Interpolated {
  const missing = new Set<string>()
  return { text: fill(text, 1), missing }

  function fill(source: string, level: number): string {
    if (level > MAX_LEVELS) return source
    let result = ''
    for (let at = 0; ; ) {
      const dollar = source.indexOf('$', at)
      if (dollar < 0) return result + source.slice(at)
      result += source.slice(at, dollar)
      const next = source[dollar + 1]
      if (next === '$') {
        result += '$'
        at = dollar + 2
        continue
      }
      const begin = next === '{' ? dollar + 2 : dollar + 1
      name.lastIndex = begin
      const [variable] = name.exec(source) ?? []
      if (variable === undefined) {
        result += '$'
        at = dollar + 1
      } else if (next !== '{') {
        result += filled(variable, '', '', level)
        at = begin + variable.length
      } else {
        const end = closingBrace(source, begin)
        // Nothing behind it can be read with certainty.
        if (end < 0) return result + source.slice(dollar)
        const [, operator = '', operand = ''] =
          /^(:?[-?+])([\s\S]*)$/.exec(source.slice(begin + variable.length, end)) ?? []
        result += filled(variable, operator, operand, level)
        at = end + 1
      }
    }
  }

  function filled(variable: string, operator: string, operand: string, level: number): string {
    const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
    const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'))
    if (operator.endsWith('+')) return isSet ? fill(operand, level + 1) : ''
    if (isSet) return value
    if (operator.endsWith('-')) return fill(operand, level + 1)
    missing.add(variable)
    return ''
  }
}

const name = /[A-Za-z_][A-Za-z0-9_]*/y

/** The place of the `}` that ends a variable; -1 if there is none. */
function closingBrace(source: string, begin: number): number {
  let open = 1
  for (let at = begin; at < source.length; at += 1) {
    if (source[at] === '}') open -= 1
    else if (source[at] === '{' && source[at - 1] === '$') open += 1
    if (open === 0) return at
  }
  return -1
}
