import type { JsonObject } from '../../../records/canonical-json.ts'
import { listOf, mapOf, textOf, wordOf } from '../reading/file-value.ts'
import { type Setting, settingsOfArguments } from '../reading/find-references.ts'
import { MEMBER_EFFORT, type ReadingBuilder } from '../reading/format-reading.ts'

/** The texts of the ConfigMaps of a file, by namespace and name. */
export type ConfigMaps = ReadonlyMap<string, ReadonlyMap<string, string>>

export function configMapKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}

/** The longest text that stands for `$(NAME)`: that of a host name. */
const MAX_FILLED = 253

/** Reads what containers are given: the variables of their environment, also those from ConfigMaps, and their arguments. Never Secrets. */
export class SettingsReader {
  readonly #configMaps: ConfigMaps
  readonly #reading: ReadingBuilder

  constructor(configMaps: ConfigMaps, reading: ReadingBuilder) {
    this.#configMaps = configMaps
    this.#reading = reading
  }

  read(container: JsonObject, namespace: string | undefined): readonly Setting[] {
    const variables = new Map<string, string>()
    for (const source of listOf(container['envFrom'])) {
      const { configMapRef, prefix } = mapOf(source)
      const name = wordOf(mapOf(configMapRef)['name'])
      if (name === undefined) continue
      const texts = this.#configMaps.get(configMapKey(namespace, name)) ?? new Map<string, string>()
      this.#reading.spend(MEMBER_EFFORT * texts.size)
      for (const [key, text] of texts) variables.set(`${textOf(prefix) ?? ''}${key}`, text)
    }
    for (const variable of listOf(container['env'])) {
      const { name, value, valueFrom } = mapOf(variable)
      const text = textOf(value) ?? this.#fromConfigMap(mapOf(mapOf(valueFrom)['configMapKeyRef']), namespace)
      const key = textOf(name)
      if (key !== undefined && text !== undefined) variables.set(key, this.#filled(text, variables))
    }
    const words = [...listOf(container['command']), ...listOf(container['args'])].flatMap(
      (word) =>
        textOf(word)
          ?.split(/\s+/)
          .filter((part) => part !== '') ?? [],
    )
    const settings = [
      ...[...variables].map(([name, text]) => ({ name, text })),
      ...settingsOfArguments(words.map((word) => this.#filled(word, variables))),
    ]
    for (const { text } of settings) this.#reading.spend(MEMBER_EFFORT + text.length)
    return settings
  }

  #fromConfigMap(reference: JsonObject, namespace: string | undefined): string | undefined {
    const [name, key] = [wordOf(reference['name']), textOf(reference['key'])]
    if (name === undefined || key === undefined) return undefined
    return this.#configMaps.get(configMapKey(namespace, name))?.get(key)
  }

  /** Kubernetes replaces `$(NAME)` by an earlier variable. */
  #filled(text: string, variables: ReadonlyMap<string, string>): string {
    if (!text.includes('$(')) return text
    return text.replaceAll(/\$\(([\w.-]{1,253})\)/g, (whole, name: string) => {
      const value = variables.get(name)
      if (value === undefined || value.length > MAX_FILLED) return whole
      this.#reading.spend(value.length)
      return value
    })
  }
}
