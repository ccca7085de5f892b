import { urlPathOf } from '../../model/served-name.ts';

/** What a redirect points at: a URL as it is, a served name as a path of this server. */
export function locationOf(nameOrUrl: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(nameOrUrl)) return encodeURI(nameOrUrl).replaceAll('%25', '%');
  return `/${urlPathOf(nameOrUrl)}`;
}
