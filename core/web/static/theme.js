// Runs before the first paint: light or dark, as the user or the device says.
(() => {
  const root = document.documentElement;
  const device = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wanted = root.dataset.theme;
    root.dataset.bsTheme = wanted === "dark" || (wanted !== "light" && device.matches) ? "dark" : "light";
  };
  root.classList.add("js");
  apply();
  device.addEventListener("change", apply);
})();
