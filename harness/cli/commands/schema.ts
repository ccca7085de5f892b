import { Argument } from 'commander';
import type { AddCommand } from '../command.ts';
import { writeJson } from '../io.ts';
import { jsonSchema, type SchemaName, schemaNames } from '../schemas.ts';

export const schemaCommand: AddCommand = (program, io) => {
  program
    .command('schema')
    .description('Print the JSON Schema of a file, for editors ("$schema": …) and programs.')
    .addArgument(
      new Argument('<name>', 'a matrix, a set.json, results.json, or a line of events.jsonl').choices(schemaNames),
    )
    .addHelpText('after', '\nExamples:\n  netboot schema matrix > matrix.schema.json')
    .action((name: SchemaName) => writeJson(io.stdout, jsonSchema(name)));
};
