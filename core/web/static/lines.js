// Lines: rows come from the server's own empty row, so a cell is always drawn by its type's widget.
function add(box) {
  const body = box.querySelector("tbody");
  const number = 1 + Math.max(-1, ...[...body.rows].map((row) => Number(row.dataset.line ?? place(row))));
  const holder = document.createElement("tbody");
  const blank = box.querySelector("template").content.cloneNode(true);
  holder.append(blank);
  const row = holder.querySelector("tr");
  row.dataset.line = String(number);
  for (const one of row.querySelectorAll("*")) {
    for (const name of ["name", "id", "data-name", "aria-describedby"]) {
      const value = one.getAttribute(name);
      if (value?.includes("__row__")) one.setAttribute(name, value.replace("__row__", String(number)));
    }
  }
  body.append(row);
  row.dispatchEvent(new CustomEvent("lines:added", { bubbles: true }));
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

function place(row) {
  const named = row.querySelector("[name$='.id']")?.name.split(".");
  return named ? Number(named.at(-2)) : -1;
}

function remove(button) {
  const row = button.closest("tr");
  const body = row.parentElement;
  const next = row.nextElementSibling || row.previousElementSibling;
  const id = row.querySelector("[name$='.id']");
  row.querySelector("[name$='._delete']").value = "1";
  if (id?.value) row.hidden = true;
  else row.remove();
  body.dispatchEvent(new Event("input", { bubbles: true }));
  (next?.querySelector("input:not([type=hidden]), select") || body.closest("[data-lines]").querySelector("[data-add-line]")).focus();
}

document.addEventListener("click", (event) => {
  const adder = event.target.closest?.("[data-add-line]");
  if (adder) add(adder.closest("[data-lines]"));
  const remover = event.target.closest?.("[data-remove-line]");
  if (remover) remove(remover);
});

// Ctrl+Enter in a line starts the next one.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const box = event.target.closest?.("[data-lines]");
  if (!box) return;
  event.preventDefault();
  add(box);
});
