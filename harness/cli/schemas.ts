import { manifestSchema } from '../assets/sets/set-manifest.ts';
import { matrixSchema } from '../matrix/matrix.ts';
import { eventSchema } from '../model/events.ts';
import { jsonSchemaOf } from '../model/json-schema.ts';
import { runResultSchema } from '../model/verdict.ts';

/** The JSON files that users write or their programs read. */
const documents = {
  matrix: { title: 'A matrix of netboot-harness', schema: matrixSchema, for: 'writers' },
  set: { title: 'set.json, the manifest of an artefact set', schema: manifestSchema, for: 'writers' },
  results: { title: 'results.json of a run', schema: runResultSchema, for: 'readers' },
  event: { title: 'One line of events.jsonl', schema: eventSchema, for: 'readers' },
} as const;

export type SchemaName = keyof typeof documents;
export const schemaNames = Object.keys(documents) as readonly SchemaName[];

export const jsonSchema = (name: SchemaName): object => jsonSchemaOf(documents[name]);
