// Link fields: type, choose with the arrows, Enter takes; the id goes into a hidden input.
import { words } from "./say.js";

let open = null;       // { box, list, items, at }
let timer;

const input = (box) => box.querySelector("[role=combobox]");
const many = (box) => box.dataset.many === "1";
const chosen = (box) => [...box.querySelectorAll(".t-chosen")];

function close() {
  if (!open) return;
  open.list.remove();
  const control = input(open.box);
  control.setAttribute("aria-expanded", "false");
  control.removeAttribute("aria-activedescendant");
  open = null;
}

// What another field of the form says may decide what can be chosen here.
function address(box, text) {
  const beside = box.dataset.beside && box.closest("form")?.querySelector(`[name="${box.dataset.beside}"]`);
  return `${box.dataset.lookup}?q=${encodeURIComponent(text)}${beside ? `&beside=${encodeURIComponent(beside.value)}` : ""}`;
}

async function ask(box) {
  const control = input(box);
  const text = control.value.trim();
  try {
    const answer = await fetch(address(box, text), { headers: { Accept: "application/json" } });
    if (!answer.ok || document.activeElement !== control || control.value.trim() !== text) return;
    show(box, await answer.json());
  } catch {
    close();
  }
}

function show(box, items) {
  close();
  const control = input(box);
  const list = document.createElement("ul");
  list.className = "t-options";
  list.id = `${control.id}-options`;
  list.setAttribute("role", "listbox");
  items.forEach((item, number) => {
    const option = document.createElement("li");
    option.id = `${list.id}-${number}`;
    option.setAttribute("role", "option");
    option.textContent = item.title;
    if (item.kind) option.append(Object.assign(document.createElement("span"), { className: "t-option-kind", textContent: item.kind }));
    option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(box, item); });
    list.append(option);
  });
  if (!items.length) {
    const none = document.createElement("li");
    none.className = "t-none";
    none.textContent = words().nothing;
    list.append(none);
  }
  box.append(list);
  control.setAttribute("aria-expanded", "true");
  control.setAttribute("aria-controls", list.id);
  open = { box, list, items, at: -1 };
  if (items.length && control.value.trim()) mark(0);
}

function mark(at) {
  const options = [...open.list.querySelectorAll("[role=option]")];
  if (!options.length) return;
  open.at = (at + options.length) % options.length;
  options.forEach((option, number) => option.setAttribute("aria-selected", String(number === open.at)));
  input(open.box).setAttribute("aria-activedescendant", options[open.at].id);
  options[open.at].scrollIntoView({ block: "nearest" });
}

function hold(box, id, title, home = "") {
  const chip = document.createElement("span");
  chip.className = "t-chosen";
  chip.dataset.id = id;
  chip.dataset.home = home;
  const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: box.dataset.name, value: id });
  const name = Object.assign(document.createElement("span"), { className: "t-chosen-title", textContent: title });
  chip.append(hidden, name);
  if (many(box)) chip.append(remover(title));
  box.insertBefore(chip, input(box));
}

function remover(title) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  button.setAttribute("aria-label", `${words().remove}: ${title}`);
  button.dataset.unchoose = "1";
  return button;
}

function take(box, item) {
  const control = input(box);
  if (!many(box)) chosen(box).forEach((one) => one.remove());
  if (!chosen(box).some((one) => one.dataset.id === String(item.id))) hold(box, String(item.id), item.title, item.home);
  control.value = many(box) ? "" : item.title;
  opener(box);
  close();
  tell(box);
}

// The icon that opens the linked record follows the choice.
function opener(box) {
  if (many(box)) return;
  box.querySelector(".t-open")?.remove();
  const one = chosen(box)[0];
  if (!one || box.closest(".t-lines") || !(one.dataset.home || box.dataset.home)) return;
  const link = Object.assign(document.createElement("a"), {
    className: "btn btn-icon t-open", href: `${one.dataset.home || box.dataset.home}/${one.dataset.id}`, target: "_blank", rel: "noopener", title: box.dataset.open,
  });
  link.setAttribute("aria-label", box.dataset.open);
  link.append(Object.assign(document.createElement("span"), { className: "t-i-open" }));
  box.append(link);
}

function tell(box) {
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// Text that is none of the choices is not kept: back to what was chosen, or to nothing.
function settle(box) {
  const control = input(box);
  if (many(box)) {
    control.value = "";
  } else if (!control.value.trim()) {
    if (chosen(box).length) {
      chosen(box).forEach((one) => one.remove());
      opener(box);
      tell(box);
    }
  } else {
    control.value = chosen(box)[0]?.querySelector(".t-chosen-title").textContent || "";
  }
  close();
}

function dress(root) {
  for (const box of root.querySelectorAll?.("[data-lookup]:not([data-ready])") || []) {
    box.dataset.ready = "1";
    if (many(box)) for (const one of chosen(box)) one.append(remover(one.textContent));
    box.addEventListener("lookup:set", (event) => {
      chosen(box).forEach((one) => one.remove());
      event.detail.texts.forEach((id, number) => hold(box, id, event.detail.titles[number] || `#${id}`));
      input(box).value = many(box) ? "" : event.detail.titles[0] || "";
      opener(box);
      tell(box);
    });
  }
}

document.addEventListener("focusin", (event) => {
  const box = event.target.closest?.("[data-lookup]");
  if (open && open.box !== box) settle(open.box);
  if (box) dress(box.parentElement);
});
document.addEventListener("focusout", (event) => {
  const box = event.target.closest?.("[data-lookup]");
  if (box && event.target === input(box)) settle(box);
});
document.addEventListener("input", (event) => {
  const box = event.target.closest?.("[data-lookup]");
  if (!box || event.target !== input(box) || event.isComposing) return;
  clearTimeout(timer);
  timer = setTimeout(() => ask(box), 180);
});
document.addEventListener("compositionend", (event) => {
  const box = event.target.closest?.("[data-lookup]");
  if (box) ask(box);
});
document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-lookup]");
  if (!box) return;
  if (event.target.closest("[data-unchoose]")) {
    event.target.closest(".t-chosen").remove();
    tell(box);
    input(box).focus();
  } else if (event.target === input(box) && !open) {
    input(box).select();
    showAll(box);
  }
});

async function showAll(box) {
  const control = input(box);
  try {
    const answer = await fetch(address(box, ""), { headers: { Accept: "application/json" } });
    if (answer.ok && document.activeElement === control) show(box, await answer.json());
  } catch {
    close();
  }
}

document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.("[data-lookup]");
  if (!box || event.target !== input(box) || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (open) mark(open.at + (event.key === "ArrowDown" ? 1 : -1));
    else showAll(box);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (open && open.at >= 0) take(box, open.items[open.at]);
  } else if (event.key === "Escape" && open) {
    event.preventDefault();
    event.stopPropagation();
    settle(box);
  } else if (event.key === "Backspace" && many(box) && !event.target.value) {
    chosen(box).at(-1)?.remove();
    tell(box);
  }
}, true);

document.addEventListener("htmx:after:swap", () => dress(document));
document.addEventListener("lines:added", (event) => dress(event.target));
dress(document);
