import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'

export const WORDS_MAX = 16

/** The words of a search text, each once and sorted, so that their order makes no difference. */
export function wordsOf(text: string): readonly string[] {
  return [
    ...new Set(
      text
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== ''),
    ),
  ].sort()
}

/** Whether a service has all words. The upper case of a letter is the same letter. */
export interface WordTest {
  /** Looks into the fields that a search is about: name, tags, capabilities and the values of the metadata. */
  readonly inData: (data: JsonObject) => boolean
  /** The same for the stored text. It parses only records whose text has all words somewhere. */
  readonly inText: (text: string) => boolean
}

export function wordTest(words: readonly string[]): WordTest {
  const patterns = words.map((word) => patternOf(word))
  // The stored text is JSON, which has some characters in another form.
  const written = words.map((word) => patternOf(JSON.stringify(word).slice(1, -1)))
  const inData = (data: JsonObject) => {
    const texts = [...searchedTexts(data)]
    return patterns.every((pattern) => texts.some((text) => pattern.test(text)))
  }
  return {
    inData,
    inText: (text) =>
      written.every((pattern) => pattern.test(text)) && inData(JSON.parse(text) as JsonObject),
  }
}

function patternOf(text: string): RegExp {
  return new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'iu')
}

function* searchedTexts({ serviceName, tags, capabilities, metadata }: JsonObject): Generator<string> {
  yield* textsIn(serviceName)
  yield* textsIn(tags)
  yield* textsIn(capabilities)
  yield* textsIn(metadata)
}

/** The texts in a value, numbers and booleans as text, without the names of members. */
function* textsIn(value: JsonValue | undefined): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'number' || typeof value === 'boolean') yield String(value)
  else if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) yield* textsIn(member)
}
