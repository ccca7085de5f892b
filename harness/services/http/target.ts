/** Served name of a request target (RFC 9112 §3.2), percent-decoded; undefined where it cannot be decoded. */
export function nameOfTarget(target: string): string | undefined {
  // Absolute form, as some firmware sends it to a proxy that is not there.
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** What a redirect points at: a URL as it is, a served name as a path of this server. */
export function locationOf(nameOrUrl: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(nameOrUrl)) return encodeURI(nameOrUrl).replaceAll('%25', '%');
  return `/${nameOrUrl.split('/').filter(Boolean).map(encodeURIComponent).join('/')}`;
}
