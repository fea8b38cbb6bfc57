/** Picks the examples of one command from those of its group, for the help of the command. */
export function examplesOf(command: string, examples: string): string {
  const lines = examples.split('\n').filter((line) => line.includes(`coordinator ${command}`))
  return ['', 'Examples:', ...lines, ''].join('\n')
}
