import type { Offer } from '../farm/need.ts';

/** What a worker offers, for people. */
export function offerLines({
  worker,
  code,
  platform,
  cores,
  memoryMiB,
  qemus,
  accels,
  labels,
  trust,
  sets,
}: Offer): string[] {
  const builds = qemus.map(({ name, arch, version }) => `${arch} ${name === 'host' ? '' : `${name} `}${version}`);
  const faster = Object.entries(accels).flatMap(([arch, names]) =>
    names
      .filter((name) => name !== 'tcg')
      .map((name) => `, ${name} for ${arch} with firmware that a probe boot shows to work`),
  );
  const size = `${cores} ${cores === 1 ? 'core' : 'cores'}, ${memoryMiB} MiB`;
  return [
    `${worker}: ${platform}, ${size}, netboot-harness ${code.version} (${code.sha256.slice(0, 12)})`,
    `  QEMU: ${builds.join(', ') || 'none'}; tcg${faster.join('')}`,
    `  sets: ${sets.join(', ')}${labels.length > 0 ? `; labels: ${labels.join(', ')}` : ''}${trust ? '; trusts its submitters' : ''}`,
  ];
}
