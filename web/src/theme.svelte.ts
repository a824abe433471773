/** Light, dark, or as the system has it. The choice is kept where the browser lets a page keep anything. */

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'monosem-theme';

export const theme: { name: Theme } = $state({ name: 'auto' });

try {
  const kept = localStorage.getItem(KEY);
  show(THEMES.find((one) => one === kept) ?? 'auto');
} catch {
  // Without storage the system's own choice stands.
}

/** The next of the three. */
export function nextTheme(): void {
  show(THEMES[(THEMES.indexOf(theme.name) + 1) % THEMES.length]);
  try {
    localStorage.setItem(KEY, theme.name);
  } catch {
    // It then lasts as long as the page.
  }
}

function show(name: Theme): void {
  theme.name = name;
  document.documentElement.dataset.theme = name;
}
