import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '../model/certificate.ts';
import type { Plan } from '../model/plan.ts';
import { oncePerKey } from '../os/once-per-key.ts';
import {
  type Authority,
  type CertificateRequest,
  makeAuthority,
  type ServerCertificate,
} from '../services/certificates/authority.ts';
import { efiSignatureList } from '../services/certificates/signature-list.ts';

/** The run's certificate authority and the certificates it issued, each made when a case first needs it. */
export interface Authorities {
  certificate(plan: Plan): Promise<ServerCertificate>;
  /** Writes the firmware's trusted certificates into the case's directory, where the plan has them read. */
  enrol(plan: Plan, directory: string): Promise<void>;
}

const elsewhere = 'elsewhere.example';

function requestFor(certificate: Certificate, { serverIp, ipv6 }: Plan['network']): CertificateRequest {
  if (certificate === 'wrong-name') return { dns: [elsewhere] };
  return { ip: [serverIp, ...(ipv6 ? [ipv6.serverIp] : [])], expired: certificate === 'expired' };
}

export function createAuthorities(): Authorities {
  const authorityOnce = oncePerKey<Authority>();
  const certificateOnce = oncePerKey<ServerCertificate>();
  const trusted = () => authorityOnce('trusted', () => makeAuthority());
  const foreign = () => authorityOnce('foreign', () => makeAuthority('another authority'));

  return {
    certificate({ tls, network }) {
      const certificate = tls?.certificate ?? 'valid';
      return certificateOnce(`${certificate} ${network.ipv6?.serverIp}`, async () => {
        const authority = await (certificate === 'wrong-authority' ? foreign() : trusted());
        return authority.issue(requestFor(certificate, network));
      });
    },
    async enrol({ tls }, directory) {
      if (tls?.authorityFile === undefined) return;
      await writeFile(join(directory, tls.authorityFile), efiSignatureList((await trusted()).der));
    },
  };
}
