/** An address that other machines can reach, as an option or a setting has it. */
const everywhere = /\bHOST[=:]\s*['"]?(0\.0\.0\.0|::)|--host[= ](0\.0\.0\.0|::)/

/** The image listens on all addresses of its container. What follows its name is another command. */
const container = /\b(?:docker|podman) run\b.*\bcoordinator:[\w.]+(?!\S)(?:\s+serve)?\s*$/

const published = /(?:--publish|-p)[= ]((?:\S*:)?\d*:\d+)/g

/**
 * The commands of a document that let other machines use a coordinator without a credential. Each must have `AUTH=required` with a secret in
 * a file, or `AUTH=off` with a port that only this machine reaches.
 *
 * @param text a Markdown document
 */
export function listeningFaults(text: string): string[] {
  return commandsIn(text)
    .filter((command) => everywhere.test(command) || container.test(command))
    .filter((command) => !isClosed(command) && !isLocal(command))
}

/** A setting counts for the whole file, and for the unit that reads it. */
export function fileListeningFaults(text: string): string[] {
  const closed = /\bAUTH[=:]\s*['"]?required\b/.test(text) || /name: AUTH\s+value: ['"]?required/.test(text)
  const open = everywhere.test(text) || /name: HOST\s+value: ['"]?(0\.0\.0\.0|::)/.test(text)
  return open && !closed ? ['listens on all addresses without AUTH=required'] : []
}

function isClosed(command: string): boolean {
  return /\bAUTH=required\b/.test(command) && /\bAUTH_\w+_FILE=/.test(command)
}

function isLocal(command: string): boolean {
  const ports = [...command.matchAll(published)].map(([, port = '']) => port)
  return (
    /\bAUTH=off\b/.test(command) && ports.length > 0 && ports.every((port) => port.startsWith('127.0.0.1:'))
  )
}

/** The commands in blocks, in indented blocks and in the text, each on one line. */
function commandsIn(text: string): string[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ')
  return (
    joined
      .split('\n')
      .flatMap((line) => {
        const codes = [...line.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
        return codes.length > 0 ? codes : [line.trim()]
      })
      // A row of a table, or a setting alone, starts nothing.
      .filter((line) => !line.startsWith('|') && !/^\w+=\S*$/.test(line))
  )
}
