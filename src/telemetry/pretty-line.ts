import { styleText } from 'node:util'
import type { ErrorDescription } from './describe-error.ts'

type Style = Parameters<typeof styleText>[0]

const levelStyles: Readonly<Record<string, Style>> = {
  trace: 'gray',
  debug: 'blue',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: ['bgRed', 'white'],
}

/** Everything with which a text could move the cursor, change colours, or begin a line that looks like another one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not reach a terminal
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/**
 * A line of the log for people: `[14:03:07.215] INFO: listening {"port":3000}`. Errors follow in lines of their own, indented.
 *
 * @param json a line of pino
 */
export function prettyLine(json: string, { color }: { readonly color: boolean }): string {
  const paint = (style: Style, text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text
  const { time, level, msg = '', err, error, ...members } = JSON.parse(json) as Line
  const rest = Object.keys(members).length === 0 ? '' : paint('gray', printable(JSON.stringify(members)))
  const name = paint(levelStyles[level] ?? 'white', level.toUpperCase())
  const head = [`[${clockOf(time)}] ${name}:`, paint('cyan', printable(msg)), rest].filter(
    (part) => part !== '',
  )
  const errors = [err, error].flatMap((description) =>
    description === undefined ? [] : linesOf(description),
  )
  return `${[head.join(' '), ...errors.map((line) => `    ${line}`)].join('\n')}\n`
}

interface Line {
  readonly time: string
  readonly level: string
  readonly msg?: string
  readonly err?: ErrorDescription
  readonly error?: ErrorDescription
}

/** The time of day in the time zone of this machine. */
function clockOf(time: string): string {
  const at = new Date(time)
  const digits = (number: number, count = 2) => String(number).padStart(count, '0')
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => digits(part)).join(':')
  return `${clock}.${digits(at.getMilliseconds(), 3)}`
}

function linesOf({ type, message, stack, code, hint, cause, ...more }: ErrorDescription): string[] {
  const codeText = code === undefined ? '' : ` [${code}]`
  const moreText = Object.keys(more).length === 0 ? '' : ` ${JSON.stringify(more)}`
  return [
    printable(`${type}: ${message}${codeText}`) + moreText,
    // The stack repeats the message, which may have several lines.
    ...(stack ?? '')
      .split('\n')
      .filter((line) => line.startsWith('    at '))
      .map(printable),
    ...(hint === undefined ? [] : [`Next: ${printable(hint)}`]),
    ...(cause === undefined ? [] : linesOf(cause).map((line, at) => (at === 0 ? `caused by ${line}` : line))),
  ]
}

/** The text with such characters as JSON would write them: `\\u001b`. */
function printable(text: string): string {
  return text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
