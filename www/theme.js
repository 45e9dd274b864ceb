// Sets the remembered colour theme before the first paint, so that the page does not flash.
// A blocking script of its own, because modules run after parsing and the policy forbids inline ones.
try {
  const theme = localStorage.getItem("nibble.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off; the system's theme is used then.
}
