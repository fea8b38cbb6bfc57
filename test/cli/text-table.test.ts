import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { printed } from '../../src/cli/context/output.ts'
import { printable, textTable } from '../../src/cli/terminal/text-table.ts'

describe('coordinator services: the table', () => {
  it('aligns columns, and leaves no blanks at the end of a line', () => {
    expect(
      textTable([
        ['NAME', 'TAGS'],
        ['a', ''],
        ['longer', 'x'],
      ]),
    ).toBe('NAME    TAGS\na\nlonger  x\n')
  })

  it('counts emoji and East Asian characters as two columns', () => {
    expect(
      textTable([
        ['日本', '1'],
        ['👩‍👩‍👧', '2'],
        ['abcd', '3'],
      ]),
    ).toBe('日本  1\n👩‍👩‍👧    2\nabcd  3\n')
  })

  it('lets no control character of a server reach the terminal', () => {
    expect(printable('a\u001b[31mb\nc\u202ed')).toBe('a\ufffd[31mb\ufffdc\ufffdd')
  })

  it.each([
    ['json', (text: string): unknown => JSON.parse(text)],
    ['yaml', (text: string): unknown => parse(text)],
  ] as const)('lets none reach it as %s either, where they mean the same', (output, read) => {
    const value = { 'k\u009b2J': ['a\u009b31m\u0085\u007fb', 'c\u202ed', '\u001b[2J', 'plain: é\n\n日本'] }
    const text = printed({ output }, { value, text: '' })
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202a-\u202e]/u)
    expect(read(text)).toEqual(value)
  })

  it('prints nothing for no rows', () => {
    expect(textTable([])).toBe('')
  })
})
