/**
 * Whether a number is what was sent. From 2^53 on not every whole number has a double: 9007199254740993 arrives as another
 * one. Every double that large is whole, so one that was meant as a fraction cannot be told from these.
 */
export function isExactNumber(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER
}
