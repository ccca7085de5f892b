export interface PlaceholderValues {
  nonce: string;
  server: string;
  mac: string;
}

/**
 * Fills in `{{nonce}}`, `{{server}}` and `{{mac}}` in a user's texts. Double braces, so that iPXE's own `${…}` passes
 * unchanged; unknown names are left alone.
 */
export function fillPlaceholders(text: string, values: PlaceholderValues): string {
  return text.replace(/\{\{(nonce|server|mac)\}\}/g, (_, name: keyof PlaceholderValues) => values[name]);
}
