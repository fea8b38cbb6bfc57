import { count, type Estimate, type Line } from './estimate.ts'

const sizes = [
  [1_099_511_627_776, 'TiB'],
  [1_073_741_824, 'GiB'],
  [1_048_576, 'MiB'],
  [1_024, 'KiB'],
] as const

/** A table for people: each figure beside its formula. */
export function estimateText({ lines, advice }: Estimate): string {
  const rows = lines.map((line) => [line.name, shown(line), line.formula] as const)
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length))
  return [
    ...rows.map(
      ([name, value, formula]) => `${name.padEnd(width(0))}  ${value.padStart(width(1))}  ${formula}`,
    ),
    '',
    ...advice,
  ].join('\n')
}

function shown({ name, value, unit }: Line): string {
  if (name === 'heap to set') return `${count(value / 1_048_576)} MiB`
  if (unit === 'bytes') return bytes(value)
  if (unit === 'seconds') return `${value.toFixed(1)} s`
  return unit === '' ? count(value) : `${count(value)} ${unit}`
}

function bytes(value: number): string {
  const [size, name] = sizes.find(([least]) => value >= least) ?? [1, 'bytes']
  return `${(value / size).toFixed(value / size < 10 && size > 1 ? 1 : 0)} ${name}`
}
