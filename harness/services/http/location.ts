import { urlPathOf } from '../../model/served-name.ts';

/** The target of a redirect: a URL as is, a served name as a path on this server. */
export function locationOf(nameOrUrl: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(nameOrUrl)) return encodeURI(nameOrUrl).replaceAll('%25', '%');
  return `/${urlPathOf(nameOrUrl)}`;
}
