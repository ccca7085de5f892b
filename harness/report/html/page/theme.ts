import { h } from './dom.ts';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const words: Record<Theme, string> = { auto: '◐ auto', light: '☀ light', dark: '☾ dark' };
const storageKey = 'netboot-report-theme';

function remembered(): Theme {
  try {
    const stored = localStorage.getItem(storageKey);
    return themes.find((theme) => theme === stored) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // A browser may refuse storage to file: URLs; then the system theme applies each time.
  }
}

/** A button that goes from the system's colours to light to dark. */
export function themeButton(): HTMLElement {
  let theme = remembered();
  const button = h('button', { type: 'button', class: 'theme', title: 'Colours' });
  const apply = (): void => {
    document.documentElement.dataset.theme = theme;
    button.textContent = words[theme];
    button.setAttribute('aria-label', `Colours: ${theme}`);
  };
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
    remember(theme);
    apply();
  });
  apply();
  return button;
}
