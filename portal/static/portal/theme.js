// Runs before the page is drawn: in a dialog of the workspace it is drawn without its bars.
if (self !== top) document.documentElement.dataset.framed = "";

// The theme somebody chose by hand, else what their system says.
try {
  const theme = localStorage.getItem("madang-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden; the system's theme does then.
}
