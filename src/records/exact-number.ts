/**
 * Whether a number arrived as it was sent. From 2^53 on, some whole numbers have no double: 9007199254740993 arrives as another number. All
 * doubles of that size are whole. A large fraction therefore cannot be told from a whole number, and is refused, too.
 */
export function isExactNumber(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER
}
