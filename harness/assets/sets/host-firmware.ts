import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Arch, SecureBoot } from '../../model/axes.ts';
import type { Manifest } from './set-manifest.ts';

type FirmwareEntry = Manifest['firmware'][number];

/** The fields of a firmware descriptor that matter here (QEMU, docs/interop/firmware.json). */
const descriptorSchema = z.object({
  'interface-types': z.array(z.string()),
  mapping: z.object({
    device: z.literal('flash'),
    executable: z.object({ filename: z.string(), format: z.enum(['raw', 'qcow2']) }),
    'nvram-template': z.object({ filename: z.string(), format: z.enum(['raw', 'qcow2']) }).optional(),
  }),
  targets: z.array(z.object({ architecture: z.string(), machines: z.array(z.string()) })),
  features: z.array(z.string()),
});
type Descriptor = z.infer<typeof descriptorSchema>;

const uefiNames = { x86_64: 'ovmf', aarch64: 'aavmf' } as const;

/**
 * Descriptor folders, highest priority first: a file masks files of the same name in later folders, and an empty file
 * only masks (docs/interop/firmware.json, "Firmware descriptor lookup").
 */
function descriptorFolders(env: NodeJS.ProcessEnv): string[] {
  const config = env.XDG_CONFIG_HOME || (env.HOME ? join(env.HOME, '.config') : undefined);
  return [
    ...(config === undefined ? [] : [join(config, 'qemu/firmware')]),
    '/etc/qemu/firmware',
    '/usr/share/qemu/firmware',
    '/usr/local/share/qemu/firmware',
    '/opt/homebrew/share/qemu/firmware',
  ];
}

async function readDescriptors(folders: readonly string[]): Promise<Descriptor[]> {
  const texts = new Map<string, string>();
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (!name.endsWith('.json') || texts.has(name)) continue;
      texts.set(name, await readFile(join(folder, name), 'utf8').catch(() => ''));
    }
  }
  const sorted = [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([, text]) => {
    try {
      const parsed = descriptorSchema.safeParse(JSON.parse(text));
      return parsed.success ? [parsed.data] : [];
    } catch {
      // Empty to mask another, or not JSON: no firmware either way.
      return [];
    }
  });
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Confidential guests need flags that no boot here uses. */
const unsuitable = ['intel-tdx', 'amd-sev-snp'];

function secureBootOf(features: readonly string[]): SecureBoot | undefined {
  if (!features.includes('secure-boot')) return 'off';
  // Capable, but with an empty variable store: behaves like "off", for which the plain build is preferred.
  return features.includes('enrolled-keys') ? 'microsoft' : undefined;
}

async function entriesOf(descriptor: Descriptor, root: string): Promise<FirmwareEntry[]> {
  const { mapping, features } = descriptor;
  const secureBoot = secureBootOf(features);
  if (!descriptor['interface-types'].includes('uefi') || secureBoot === undefined) return [];
  if (unsuitable.some((feature) => features.includes(feature))) return [];
  const code = join(root, mapping.executable.filename);
  const vars = mapping['nvram-template'] && join(root, mapping['nvram-template'].filename);
  if (!(await isFile(code)) || (vars !== undefined && !(await isFile(vars)))) return [];
  return descriptor.targets.flatMap(({ architecture, machines }) => {
    if (!(architecture in uefiNames)) return [];
    const arch = architecture as Arch;
    return [
      {
        firmware: uefiNames[arch],
        arch,
        code,
        ...(vars === undefined ? {} : { vars }),
        format: mapping.executable.format,
        secureBoot,
        smm: features.includes('requires-smm'),
        machines,
      },
    ];
  });
}

/** Next to Microsoft's, Debian ships a variable store with its snakeoil keys, without a descriptor. */
async function snakeoilOf(entry: FirmwareEntry): Promise<FirmwareEntry[]> {
  if (entry.secureBoot !== 'microsoft' || entry.vars === undefined) return [];
  const vars = join(
    dirname(entry.vars),
    entry.vars.slice(dirname(entry.vars).length + 1).replace('.ms.fd', '.snakeoil.fd'),
  );
  return vars !== entry.vars && (await isFile(vars)) ? [{ ...entry, vars, secureBoot: 'snakeoil' }] : [];
}

/** UEFI firmware from this machine's descriptors, preferred first. `root` is prepended to every path. */
export async function findHostFirmware(env: NodeJS.ProcessEnv, root = ''): Promise<FirmwareEntry[]> {
  const folders = descriptorFolders(env).map((folder) => join(root, folder));
  const entries: FirmwareEntry[] = [];
  for (const descriptor of await readDescriptors(folders)) {
    for (const entry of await entriesOf(descriptor, root)) entries.push(entry, ...(await snakeoilOf(entry)));
  }
  // Only raw images can be inspected, so they precede qcow2 ones of the same firmware.
  return entries.sort((a, b) => Number(a.format !== 'raw') - Number(b.format !== 'raw'));
}
