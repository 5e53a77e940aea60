// Controls of single types: the editor of rich text, the colour beside its code, one more of several values.
import { nodes } from "./fragment.js";

const COMMANDS = [
  ["bold", "B", "bold"], ["italic", "I", "italic"], ["heading", "H", "formatBlock", "h3"],
  ["list", "•", "insertUnorderedList"], ["numbers", "1.", "insertOrderedList"],
  ["quote", "❞", "formatBlock", "blockquote"], ["link", "↗", "createLink"], ["plain", "⌫", "removeFormat"],
];

// The text area stays the control that is sent; the editor writes its markup into it.
function enrich(area) {
  const words = JSON.parse(area.dataset.rich);
  const box = document.createElement("div");
  const bar = document.createElement("div");
  const text = document.createElement("div");
  box.className = "t-rich-edit";
  bar.className = "t-rich-bar";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", words.title);
  for (const [name, sign, command, value] of COMMANDS) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `t-rich-${name}`;
    button.textContent = sign;
    button.title = words[name];
    button.setAttribute("aria-label", words[name]);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => perform(text, command, value, words));
    bar.append(button);
  }
  text.className = "form-control t-rich";
  text.contentEditable = "true";
  text.dir = "auto";
  text.setAttribute("role", "textbox");
  text.setAttribute("aria-multiline", "true");
  text.setAttribute("aria-label", words.title);
  for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) {
    if (area.hasAttribute(name)) text.setAttribute(name, area.getAttribute(name));
  }
  text.append(...nodes(area.value));
  text.addEventListener("input", () => {
    area.value = text.textContent.trim() ? text.innerHTML : "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  text.addEventListener("paste", (event) => {
    const plain = event.clipboardData?.getData("text/plain");
    if (event.clipboardData?.getData("text/html") || !plain) return;
    event.preventDefault();
    document.execCommand("insertText", false, plain);
  });
  area.labels[0]?.addEventListener("click", () => text.focus());
  area.hidden = true;
  area.removeAttribute("data-rich");
  box.append(bar, text);
  area.after(box);
  document.execCommand("defaultParagraphSeparator", false, "p");
}

function perform(text, command, value, words) {
  text.focus();
  let given = value;
  if (command === "createLink") {
    given = prompt(words.address, "https://");
    if (!given) return;
  }
  const inside = command === "formatBlock" && document.queryCommandValue("formatBlock") === value;
  document.execCommand(command, false, inside ? "p" : given);
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

export function showTypes() {
  for (const area of document.querySelectorAll("textarea[data-rich]")) enrich(area);
}

document.addEventListener("lines:added", showTypes);

document.addEventListener("input", (event) => {
  const picker = event.target.closest?.("input[data-color]");
  const code = event.target.closest?.(".t-patched.is-edit > input[type=text]");
  if (picker) {
    picker.previousElementSibling.value = picker.value;
  } else if (code && /^#[0-9a-f]{6}$/i.test(code.value)) {
    code.nextElementSibling.value = code.value;
  }
});

document.addEventListener("click", (event) => {
  const adder = event.target.closest?.("[data-another]");
  if (!adder) return;
  const last = adder.previousElementSibling;
  const fresh = last.cloneNode(true);
  for (const control of fresh.querySelectorAll("input, textarea")) {
    control.value = "";
    control.id = control.id.replace(/(-\d+)?$/, `-${adder.parentElement.children.length}`);
    control.setAttribute("aria-label", control.getAttribute("aria-label") ?? adder.closest("[data-several]").dataset.title ?? "");
    control.removeAttribute("aria-describedby");
  }
  adder.before(fresh);
  fresh.querySelector("input, textarea")?.focus();
});
