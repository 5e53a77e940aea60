// Tabs: without this script all panels stand below each other.
function choose(box, tab, focus) {
  for (const other of box.querySelectorAll(":scope > [role=tablist] > [role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
}

export function showTabs() {
  for (const box of document.querySelectorAll("[data-tabs]:not([data-ready])")) {
    box.dataset.ready = "1";
    const tabs = [...box.querySelectorAll(":scope > [role=tablist] > [role=tab]")];
    const bad = tabs.find((tab) => tab.classList.contains("has-problem"));
    const kept = document.getElementById(sessionStorage.getItem(`tab:${box.dataset.tabs}`) || "");
    choose(box, bad || (tabs.includes(kept) ? kept : tabs[0]), false);
  }
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab) return;
  const box = tab.closest("[data-tabs]");
  choose(box, tab, false);
  sessionStorage.setItem(`tab:${box.dataset.tabs}`, tab.id);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const tabs = [...tab.parentElement.children];
  const at = tabs.indexOf(tab);
  const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
  choose(tab.closest("[data-tabs]"), tabs[(next + tabs.length) % tabs.length], true);
});
