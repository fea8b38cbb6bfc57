import { validate } from 'dockerfile-utils'

interface Instruction {
  readonly keyword: string
  readonly text: string
}

/** Flags of `npm ci` that a build needs: no script of a package runs, and nothing is asked for but the packages. */
const npmFlags = ['--ignore-scripts', '--no-audit', '--no-fund']

/** What is wrong with a Dockerfile of the coordinator: the findings of `dockerfile-utils`, and what our image must hold besides. */
export function dockerfileFaults(text: string): string[] {
  const instructions = instructionsOf(text)
  const begin = instructions.findLastIndex(({ keyword }) => keyword === 'FROM')
  const image = instructions.slice(begin)
  return [
    ...validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`),
    ...stageFaults(instructions),
    ...userFaults(image),
    ...processFaults(image),
    ...contentFaults(image),
    ...instructions.flatMap(secretFaults),
    ...instructions.flatMap(npmFaults),
  ]
}

/** The instructions without comments, each on one line. */
export function instructionsOf(text: string): Instruction[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', rest = ''] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? []
      return { keyword: keyword.toUpperCase(), text: rest.trim() }
    })
}

function stageFaults(instructions: readonly Instruction[]): string[] {
  const stages = instructions.filter(({ keyword }) => keyword === 'FROM').map(({ text }) => text)
  const pinned = instructions.some(
    ({ keyword, text }) => keyword === 'ARG' && /^NODE_IMAGE=\S+:\d+\S*$/.test(text),
  )
  return [
    ...(stages.length === 2 ? [] : [`has ${stages.length} stages, and not two`]),
    ...stages
      .filter((stage) => !/^\$\{NODE_IMAGE\}( AS build)?$/.test(stage))
      .map((stage) => `begins a stage with ${stage}, and not with the argument NODE_IMAGE`),
    ...(pinned ? [] : ['does not say which version of the base it means']),
  ]
}

function userFaults(image: readonly Instruction[]): string[] {
  const user = image.findLast(({ keyword }) => keyword === 'USER')?.text
  if (user === undefined) return ['runs as root']
  return /^[1-9]\d*:[1-9]\d*$/.test(user) ? [] : [`runs as ${user}, and not as a number other than 0`]
}

/** A shell between Docker and Node.js would keep the signals. */
function processFaults(image: readonly Instruction[]): string[] {
  const commands = ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'].map((keyword) => ({
    keyword,
    text: image.findLast((each) => each.keyword === keyword)?.text,
  }))
  return commands.flatMap(({ keyword, text }) => {
    if (text === undefined) return [`has no ${keyword}`]
    const command = keyword === 'HEALTHCHECK' ? text.replace(/^.*?\bCMD\s+/, '') : text
    const program = /^\["([^"]+)"(, "[^"]+")*\]$/.exec(command)?.[1]
    if (program === undefined) return [`${keyword} is not in exec form`]
    return ['npm', 'npx', 'sh', 'bash'].includes(program) ? [`${keyword} starts ${program}`] : []
  })
}

function contentFaults(image: readonly Instruction[]): string[] {
  const copies = image.filter(({ keyword }) => keyword === 'COPY' || keyword === 'ADD')
  const labels = ['title', 'description', 'version', 'licenses']
  const label = image
    .filter(({ keyword }) => keyword === 'LABEL')
    .map(({ text }) => text)
    .join(' ')
  return [
    ...copies.filter(({ text }) => !text.startsWith('--from=build ')).map(({ text }) => `copies ${text}`),
    ...image
      .filter(({ text }) => /\bnpm\b/.test(text))
      .map(({ text }) => `leaves npm's work in the image: ${text}`),
    ...labels
      .filter((name) => !label.includes(`org.opencontainers.image.${name}=`))
      .map((name) => `has no label ${name}`),
  ]
}

function secretFaults({ keyword, text }: Instruction): string[] {
  const isSecret = /(TOKEN|PASSWORD|SECRET|KEY|DATABASE_URL)\w*\s*=/i.test(text)
  return ['ENV', 'ARG', 'LABEL'].includes(keyword) && isSecret ? [`${keyword} has a secret`] : []
}

function npmFaults({ keyword, text }: Instruction): string[] {
  if (keyword !== 'RUN') return []
  return text
    .split(/&&|;/)
    .filter((command) => /\bnpm (ci|i|install)\b/.test(command))
    .flatMap((command) => [
      ...(/\bnpm ci\b/.test(command) ? [] : [`${command.trim()} does not follow the lock file`]),
      ...npmFlags
        .filter((flag) => !command.includes(flag))
        .map((flag) => `${command.trim()} without ${flag}`),
    ])
}
