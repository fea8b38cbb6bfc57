import { describe, expect, it } from 'vitest'
import { diffLines } from '../../src/database/migrations/diff-lines.ts'

describe('difference of two texts', () => {
  it.each([
    ['nothing where they are equal', 'a\nb', 'a\nb', '...'],
    [
      'only what is near',
      'a\nb\nc\nd\ne\nf\ng\nh\ni',
      'a\nb\nc\nd\nx\nf\ng\nh\ni',
      '...\n  b\n  c\n  d\n- e\n+ x\n  f\n  g\n  h\n...',
    ],
    ['a replaced line', 'a\nb\nc', 'a\nx\nc', '  a\n- b\n+ x\n  c'],
    ['a line at the end', 'a', 'a\nb', '  a\n+ b'],
    ['a line less', 'a\nb\nc', 'a\nc', '  a\n- b\n  c'],
    ['a moved line once out and once in', 'a\nb\nc', 'b\nc\na', '- a\n  b\n  c\n+ a'],
  ])('shows %s', (_, before, after, difference) => {
    expect(diffLines(before, after)).toBe(difference)
  })
})
