import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from '../model/plan.ts';
import type { Certificate } from '../model/scenario.ts';
import {
  type Authority,
  type CertificateRequest,
  makeAuthority,
  type ServerCertificate,
} from '../services/certificates/authority.ts';
import { efiSignatureList } from '../services/certificates/signature-list.ts';

/** The run's certificate authority and the certificates it gave, each made when the first case wants it. */
export interface Authorities {
  certificate(plan: Plan): Promise<ServerCertificate>;
  /** Writes what firmware is to trust into the case's directory, where the plan says that it reads it. */
  enrol(plan: Plan, directory: string): Promise<void>;
}

const elsewhere = 'elsewhere.example';

function requestFor(certificate: Certificate, { serverIp, ipv6 }: Plan['network']): CertificateRequest {
  if (certificate === 'wrong-name') return { dns: [elsewhere] };
  return { ip: [serverIp, ...(ipv6 ? [ipv6.serverIp] : [])], expired: certificate === 'expired' };
}

export function createAuthorities(): Authorities {
  const made = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const known = made.get(key) ?? make();
    made.set(key, known);
    return known as Promise<T>;
  };
  const trusted = (): Promise<Authority> => once('trusted', () => makeAuthority());
  const foreign = (): Promise<Authority> => once('foreign', () => makeAuthority('another authority'));

  return {
    certificate({ tls, network }) {
      const certificate = tls?.certificate ?? 'valid';
      return once(`${certificate} ${network.ipv6?.serverIp}`, async () => {
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
