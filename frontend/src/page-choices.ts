/** What a person chooses for all pages: language, light or dark. */
import { send } from "./api.js";
import type { Language } from "./i18n.js";

export async function keepLanguage(language: Language): Promise<void> {
  document.documentElement.lang = language;
  const form = new URLSearchParams({ language, next: location.pathname });
  try {
    await send("/language", { method: "POST", form });
  } catch {
    return; // it holds for this page
  }
}

export function toggleTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("madang-theme", root.dataset.theme);
  } catch {
    return; // it holds for this page
  }
}
