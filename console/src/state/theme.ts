import { computed, effect, signal } from '@preact/signals'

/** `system` follows the operating system. */
export type ThemeChoice = 'system' | 'light' | 'dark'

const STORED = 'coordinator.theme'
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)')
const systemIsDark = signal(prefersDark.matches)
prefersDark.addEventListener('change', ({ matches }) => {
  systemIsDark.value = matches
})

export const themeChoice = signal<ThemeChoice>(storedChoice())

/** The theme that is shown. Drawings that do not use CSS draw themselves again when it changes. */
export const theme = computed<'light' | 'dark'>(() => {
  if (themeChoice.value !== 'system') return themeChoice.value
  return systemIsDark.value ? 'dark' : 'light'
})

effect(() => {
  document.documentElement.dataset['theme'] = theme.value
})

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice
  try {
    localStorage.setItem(STORED, choice)
  } catch {
    // The browser forbids storage: the choice counts until the page is left.
  }
}

function storedChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(STORED)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system'
  }
}
