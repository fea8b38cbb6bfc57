import { z } from 'zod'
import { mayBeAbsent } from '../../records/body/read-body.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Writes zod schemas as JSON Schema. A schema with an id is written once, and then referenced. */
export class JsonSchemas {
  readonly #named: Record<string, JsonSchema> = {}

  /** Every schema that has an id, by id. */
  get named(): Readonly<Record<string, JsonSchema>> {
    return this.#named
  }

  /** @param io whether the schema describes requests or answers */
  write(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    return this.#keep(z.toJSONSchema(schema, { io, override: relax }))
  }

  /** Writes the schema of a body that `readBody` reads: a member that may be left out may be `null`. */
  writeBody(schema: z.ZodType): JsonSchema {
    return this.#keep(z.toJSONSchema(schema, { io: 'input', override: relaxBody }))
  }

  #keep({ $schema: _, $defs = {}, ...written }: z.core.JSONSchema.BaseSchema): JsonSchema {
    for (const [id, definition] of Object.entries($defs)) this.#named[id] = withReferences(definition)
    return withReferences(written)
  }
}

interface Written {
  readonly zodSchema: z.core.$ZodType
  readonly jsonSchema: z.core.JSONSchema.BaseSchema
}

/** Answers may gain members, and clients must accept that. Limits that apply to all numbers are omitted, because they tell nothing. */
function relax({ zodSchema, jsonSchema }: Written): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  // A format says enough. The pattern that zod adds takes a line that nobody can read. A number that is parsed from the text of a URL is
  // still a number for the client.
  if (jsonSchema.format !== undefined || jsonSchema.type === 'integer') delete jsonSchema.pattern
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  // zod omits the default of a value that is transformed.
  const { default: fallback } = z.globalRegistry.get(zodSchema) ?? {}
  if (fallback !== undefined) jsonSchema.default ??= fallback
}

function relaxBody(schema: Written): void {
  relax(schema)
  const { jsonSchema, zodSchema } = schema
  if (!mayBeAbsent(zodSchema)) return
  const { type, enum: values, anyOf } = jsonSchema
  if (anyOf !== undefined) jsonSchema.anyOf = [...anyOf, { type: 'null' }]
  // JSON Schema 2020-12 allows several types, for which zod has no type.
  else if (typeof type === 'string') Object.assign(jsonSchema, { type: [type, 'null'] })
  if (values !== undefined) jsonSchema.enum = [...values, null]
}

function withReferences<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/')) as T
}
