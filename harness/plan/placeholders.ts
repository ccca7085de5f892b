/** Absent where the case has none: the placeholder is then left alone. */
export interface PlaceholderValues {
  nonce: string;
  server: string;
  mac: string;
  guest: string;
  /** A provisioner's interface and addresses. */
  interface: string;
  provisioner: string | undefined;
  provisioner6: string | undefined;
  /** Served names of the NBP, and of the script that DHCP names. */
  nbp: string | undefined;
  script: string | undefined;
}

/**
 * Fills in `{{nonce}}`, `{{server}}`, `{{mac}}` and the like in a user's texts. Double braces, so that iPXE's own `${…}`
 * passes unchanged; unknown names are left alone.
 */
export function fillPlaceholders(text: string, values: PlaceholderValues): string {
  return text.replace(/\{\{(\w+)\}\}/g, (said, name: string) =>
    Object.hasOwn(values, name) ? (values[name as keyof PlaceholderValues] ?? said) : said,
  );
}
