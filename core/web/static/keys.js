// Keys: none works while somebody types, none takes one of the browser's own.
function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") && !["checkbox", "radio", "button", "submit"].includes(target.type);
}

const follow = (selector) => {
  const link = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility?.() ?? true) || document.querySelector(selector);
  link?.click();
  return Boolean(link);
};

function step(by) {
  const rows = [...document.querySelectorAll("tr[data-href]")];
  if (!rows.length) return false;
  const now = rows.findIndex((row) => row.classList.contains("is-chosen"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
  for (const row of rows) row.classList.toggle("is-chosen", row === next);
  const link = next.querySelector("a.t-record");
  link?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function search() {
  const box = document.getElementById("search");
  box?.focus();
  box?.select();
  return Boolean(box);
}

// Choose the row that the keys are at, as a click on its box does.
function choose() {
  const box = document.querySelector("tr.is-chosen .t-choose input");
  box?.click();
  return Boolean(box);
}

function tools() {
  const menu = document.querySelector("details.t-tools");
  if (!menu) return false;
  menu.open = true;
  menu.querySelector("a, select, input")?.focus();
  return true;
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (dialog && !dialog.open) dialog.showModal();
  return Boolean(dialog);
}

const PLAIN = {
  "/": search, "?": showKeys, n: () => follow("[data-new]"), e: () => follow("[data-edit]"), j: () => step(1), k: () => step(-1), x: choose, v: tools,
};

function escape(event) {
  const menu = event.target.closest?.("details.t-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return true;
  }
  if (event.target.id === "search") {
    event.target.blur();
    return true;
  }
  if (document.querySelector("dialog[open]")) return false;
  return follow("[data-cancel]");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
    const save = document.querySelector("[data-save]");
    if (save) {
      event.preventDefault();
      save.form.requestSubmit(save);
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (escape(event)) event.preventDefault();
    return;
  }
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (PLAIN[event.key]?.()) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-keys]")) showKeys();
});

// The arrow keys walk through what the search box found.
document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.(".t-search");
  if (!box || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const links = [...box.querySelectorAll(".t-found a")];
  if (!links.length) return;
  event.preventDefault();
  const at = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  (links[at] || document.getElementById("search")).focus();
});
