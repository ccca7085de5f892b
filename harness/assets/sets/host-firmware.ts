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
 * Descriptor folders, the strongest first: a file hides files of the same name in weaker folders, and an empty file
 * hides without standing in (docs/interop/firmware.json, "Firmware descriptor lookup").
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
      // Empty to hide another, or not JSON: either way no firmware.
      return [];
    }
  });
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Confidential guests need flags that no boot here gives. */
const unsuitable = ['intel-tdx', 'amd-sev-snp'];

function secureBootOf(features: readonly string[]): SecureBoot | undefined {
  if (!features.includes('secure-boot')) return 'off';
  // Capable, but with an empty variable store: behaves as "off", and the plain build is the better one for that.
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

/** Debian ships a variable store with its snakeoil keys beside Microsoft's, without a descriptor. */
async function snakeoilOf(entry: FirmwareEntry): Promise<FirmwareEntry[]> {
  if (entry.secureBoot !== 'microsoft' || entry.vars === undefined) return [];
  const vars = join(
    dirname(entry.vars),
    entry.vars.slice(dirname(entry.vars).length + 1).replace('.ms.fd', '.snakeoil.fd'),
  );
  return vars !== entry.vars && (await isFile(vars)) ? [{ ...entry, vars, secureBoot: 'snakeoil' }] : [];
}

/** UEFI firmware that this machine's descriptors name, the preferred first. `root` is put before every path. */
export async function findHostFirmware(env: NodeJS.ProcessEnv, root = ''): Promise<FirmwareEntry[]> {
  const folders = descriptorFolders(env).map((folder) => join(root, folder));
  const entries: FirmwareEntry[] = [];
  for (const descriptor of await readDescriptors(folders)) {
    for (const entry of await entriesOf(descriptor, root)) entries.push(entry, ...(await snakeoilOf(entry)));
  }
  // Only raw images can be looked into, so they go before qcow2 ones of the same firmware.
  return entries.sort((a, b) => Number(a.format !== 'raw') - Number(b.format !== 'raw'));
}
