// Runs before the page is drawn: the theme somebody chose by hand, else what their system says.
try {
  const theme = localStorage.getItem("madang-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden; the system's theme does then.
}
