import { z } from 'zod';
import { expectationSchema } from '../model/expectation.ts';
import { axisShape, settingsShape } from '../model/scenario.ts';

const oneOrMany = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema).min(1)]);

/** Group names begin case ids, and ids name directories. */
const groupName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/, 'a group name is up to 60 letters, digits, ".", "_" or "-"');

const axisLists = {
  arch: oneOrMany(axisShape.arch),
  firmware: oneOrMany(axisShape.firmware),
  machine: oneOrMany(axisShape.machine),
  set: oneOrMany(axisShape.set),
  nic: oneOrMany(axisShape.nic),
  rom: oneOrMany(axisShape.rom),
  secondStage: oneOrMany(axisShape.secondStage),
  transport: oneOrMany(axisShape.transport),
  payload: oneOrMany(axisShape.payload),
  secureBoot: oneOrMany(axisShape.secureBoot),
  ipVersion: oneOrMany(axisShape.ipVersion),
  qemu: oneOrMany(axisShape.qemu),
  memoryMiB: oneOrMany(axisShape.memoryMiB.unwrap()),
  cpu: oneOrMany(axisShape.cpu.unwrap()),
  serialPorts: oneOrMany(axisShape.serialPorts.unwrap()),
  virtio: oneOrMany(axisShape.virtio.unwrap()),
  bootNic: oneOrMany(axisShape.bootNic.unwrap()),
};

/** Some axes, each a value or a list: a cell matches when every axis named has one of its values. */
const conditionSchema = z.strictObject(axisLists).partial();
export type CellCondition = z.infer<typeof conditionSchema>;

/** A tag of a whole group, or of the cells that match. */
const tagSchema = z.union([z.string().min(1), z.strictObject({ tag: z.string().min(1), when: conditionSchema })]);

/** Groups with this tag are left out unless the full product is requested. */
const fullOnlyTag = 'full';

const groupSchema = z.strictObject({
  name: groupName,
  description: z.string().optional(),
  ...conditionSchema.shape,
  arch: axisLists.arch,
  nic: axisLists.nic,
  ...settingsShape,
  /** The last entry whose `when` matches a cell wins over the group's `expect`. */
  expectations: z.array(z.strictObject({ when: conditionSchema, expect: expectationSchema })).optional(),
  exclude: z.array(z.strictObject({ when: conditionSchema, reason: z.string().min(1) })).optional(),
  /** Instead of every combination, as few as cover every pair of values of any two axes. */
  pairs: z.boolean().optional(),
  tags: z.array(tagSchema).optional(),
});
export type Group = z.infer<typeof groupSchema>;

export const matrixSchema = z.strictObject({
  /** For editors: the JSON Schema of this file. */
  $schema: z.string().optional(),
  name: z.string().min(1),
  description: z.string().optional(),
  groups: z.array(groupSchema).min(1),
});
/** A validated matrix, with defaults of nested schemas filled in. */
export type Matrix = z.infer<typeof matrixSchema>;
/** What a matrix file holds: plain JSON data only. */
export type MatrixInput = z.input<typeof matrixSchema>;

/** Gives a matrix written in TypeScript its type; returns its argument. */
export function defineMatrix(input: MatrixInput): MatrixInput {
  return input;
}

/** The matrix without the groups that only a full run takes. */
export function withoutFullOnly(matrix: Matrix): Matrix {
  return { ...matrix, groups: matrix.groups.filter(({ tags = [] }) => !tags.includes(fullOnlyTag)) };
}
