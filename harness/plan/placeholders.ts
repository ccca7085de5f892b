export interface PlaceholderValues {
  nonce: string;
  server: string;
  mac: string;
}

/**
 * Fills `{{nonce}}`, `{{server}}` and `{{mac}}` in a user's texts. Doubled braces, because iPXE's own `${…}` must
 * pass untouched; unknown names stay as they are.
 */
export function fillPlaceholders(text: string, values: PlaceholderValues): string {
  return text.replace(/\{\{(nonce|server|mac)\}\}/g, (_, name: keyof PlaceholderValues) => values[name]);
}
