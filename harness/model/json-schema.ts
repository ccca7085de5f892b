import { z } from 'zod';

export interface SchemaDocument {
  readonly title: string;
  readonly schema: z.ZodType;
  /** What has a default may be left out by those who write such a file, and is there for those who read it. */
  readonly for: 'writers' | 'readers';
}

/** A JSON Schema (draft 2020-12). What zod checks beyond it, such as that two fields go together, it leaves open. */
export function jsonSchemaOf({ title, schema, for: audience }: SchemaDocument): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: audience === 'writers' ? 'input' : 'output',
    unrepresentable: 'any',
  });
  return { $schema, title, ...rest };
}
