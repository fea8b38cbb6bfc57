import { describe, expect, it } from 'vitest'
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

  it('prints nothing for no rows', () => {
    expect(textTable([])).toBe('')
  })
})
