import { z } from 'zod';

export interface SchemaDocument {
  readonly title: string;
  readonly schema: z.ZodType;
  /** A field with a default is optional for writers and present for readers. */
  readonly for: 'writers' | 'readers';
}

/** A JSON Schema (draft 2020-12). It leaves out what zod checks beyond it, such as that two fields go together. */
export function jsonSchemaOf({ title, schema, for: audience }: SchemaDocument): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: audience === 'writers' ? 'input' : 'output',
    unrepresentable: 'any',
  });
  return { $schema, title, ...rest };
}
