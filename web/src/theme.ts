// Light or dark: what the system says, until someone says otherwise here.

import { theme } from "./state.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

function apply(t: "light" | "dark"): void {
  theme.value = t;
  document.documentElement.dataset.theme = t;
}

export function setTheme(t: "light" | "dark"): void {
  localStorage.setItem("gotrail.theme", t);
  apply(t);
}

export function followSystem(): void {
  const chosen = localStorage.getItem("gotrail.theme");
  apply(chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => {
    if (!localStorage.getItem("gotrail.theme")) apply(dark.matches ? "dark" : "light");
  });
}
