/** A host that a text names, as clients are told where a service is. */
export interface Reference {
  readonly host: string
  readonly scheme?: string
  readonly port?: number
}

/** A setting: its name, and what a container is given for it. The name is empty for a plain argument. */
export interface Setting {
  readonly name: string
  readonly text: string
}

/**
 * The hosts in a setting: those of URLs (`http://cart:7070`), those with a port (`kafka:9092`, also in lists), names of a cluster
 * (`cart.shop.svc`), and a bare name where the name of the setting says that it is a host (`REDIS_HOST=redis`). The caller knows which of
 * them are services.
 */
export function findReferences({ name, text }: Setting): Reference[] {
  if (notAddresses.test(name)) return []
  const found: Reference[] = []
  for (const [, scheme, host = '', port] of text.matchAll(address))
    if (scheme !== undefined || isPort(port) || clusterName.test(host))
      found.push({
        host,
        ...(scheme !== undefined && { scheme }),
        ...(isPort(port) && { port: Number(port) }),
      })
  if (addresses.test(name))
    for (const item of text.split(/[\s,;]+/)) if (bareHost.test(item)) found.push({ host: item })
  return found
}

/**
 * `SCHEME://USER:PASSWORD@HOST:PORT`, all but the host optional. Each match takes at least one character and looks ahead for no more than a
 * word, so that the time grows only with the length of the text.
 */
const address =
  /(?:([a-z][a-z0-9+.-]{0,30}):\/\/(?:[^\s/@"']{0,500}@)?)?([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)\.?(?::(\d{1,5})(?![\w.:-]))?/gi

/** The name of a Service in a cluster, also behind the name of a pod. No other text looks like that, whatever the setting is called. */
const clusterName = /^(?:[a-z0-9-]+\.){2,3}svc(?:\.[a-z0-9-]+){0,5}$/i

const bareHost = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i

/** Names of settings that hold hosts: `DB_HOST`, `PGHOST`, `kafka.brokers`, `--api-url`, `-h`. */
const addresses =
  /(?:host|host_?names?|hosts|addr|address|addresses|servers?|endpoints?|urls?|uris?|brokers?)\d*$|^-h$/i

/** Names of settings whose texts only look like addresses: `BASE_IMAGE=redis:7`. */
const notAddresses = /(?:image|version|tag)$/i

function isPort(text: string | undefined): text is string {
  return text !== undefined && Number(text) >= 1 && Number(text) <= 65_535
}

/** The settings in the arguments of a command: `--rpc-host=broker:50051`, `-h proxy`, and plain arguments. */
export function settingsOfArguments(words: readonly string[]): Setting[] {
  const settings: Setting[] = []
  for (const [index, word] of words.entries()) {
    const [, flag, value] = /^(--?[\w.-]+)(?:=([\s\S]*))?$/.exec(word) ?? []
    if (flag === undefined) {
      // The value of a flag stands behind it; it was taken with the flag.
      if (!/^--?[\w.-]+$/.test(words[index - 1] ?? '')) settings.push({ name: '', text: word })
    } else if (value !== undefined) settings.push({ name: flag, text: value })
    else if (index + 1 < words.length) settings.push({ name: flag, text: words[index + 1] as string })
  }
  return settings
}

/** Whether the name of a setting says that it holds an address. */
export function namesAddress({ name }: Setting): boolean {
  return addresses.test(name)
}
