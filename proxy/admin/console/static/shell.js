// The shell around all pages: the palette, the keys, and their list. Everything here is a shorter
// way to something that a link does as well.

const KEYS = {
  o: ["/", "Overview"],
  f: ["/differences", "Differences"],
  d: ["/decisions", "Decisions"],
  b: ["/decisions?kind=rollback", "Rollbacks"],
  r: ["/rules", "Rules"],
  p: ["/pins", "Pins"],
  e: ["/explain", "Explain a request"],
  h: ["/hosts", "Hosts and health"],
  k: ["/kill-switch", "Kill switch"],
};
const FOLLOWS_WITHIN = 1500; // ms between `g` and the letter after it

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// --- The palette --------------------------------------------------------------------------------

const field = element("input", {
  type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list",
  "aria-label": "Jump to a route, a page or an action", autocomplete: "off", spellcheck: "false",
  placeholder: "Jump to a route, a page or an action",
});
const list = element("div", { id: "palette-list", role: "listbox", "aria-label": "Places" });
const palette = element("dialog", { id: "palette", "aria-label": "Jump" }, field, list);
let asked = 0;

async function fill() {
  const number = ++asked;
  const query = new URLSearchParams({ q: field.value, list: "1" });
  const answer = await fetch(`/jump?${query}`).catch(() => undefined);
  if (number !== asked) return; // an older answer came late
  if (!answer?.ok) {
    list.replaceChildren(element("p", { class: "empty" }, "The controller does not answer. Try again, or use the links above."));
    return;
  }
  const html = new DOMParser().parseFromString(await answer.text(), "text/html");
  list.replaceChildren(...html.body.children);
  for (const each of list.querySelectorAll("ul, li")) each.setAttribute("role", "presentation");
  for (const [n, link] of places().entries()) {
    link.id = `place-${n}`;
    link.setAttribute("role", "option");
    link.tabIndex = -1;
  }
  choose(0);
}

const places = () => [...list.querySelectorAll("a")];

function choose(at) {
  const all = places();
  const chosen = (at + all.length) % (all.length || 1);
  for (const [n, link] of all.entries()) link.setAttribute("aria-selected", String(n === chosen));
  all[chosen]?.scrollIntoView({ block: "nearest" });
  if (all[chosen]) field.setAttribute("aria-activedescendant", all[chosen].id);
  else field.removeAttribute("aria-activedescendant");
}

function open(dialog) {
  if (!dialog.open) dialog.showModal();
}

function openPalette() {
  field.value = "";
  open(palette);
  field.focus();
  fill();
}

field.addEventListener("input", fill);
field.addEventListener("keydown", (event) => {
  const all = places();
  const at = all.findIndex((link) => link.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(at + 1);
  else if (event.key === "ArrowUp") choose(at - 1);
  else if (event.key === "Enter") all[at]?.click();
  else return;
  event.preventDefault();
});
list.addEventListener("click", () => palette.close());

// --- The keys -----------------------------------------------------------------------------------

const help = element("dialog", { id: "keys", "aria-labelledby": "keys-title" },
  element("h2", { id: "keys-title" }, "Keys"),
  element("dl", {},
    ...[["Ctrl K or ⌘ K", "jump to a route, a page or an action"], ["/", "filter or search on this page"], ["j, k", "next and previous row"],
      ...Object.entries(KEYS).map(([key, [, name]]) => [`g ${key}`, name]), ["?", "this list"], ["Esc", "close"]]
      .map(([keys, what]) => element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, what)))),
  element("form", { method: "dialog" }, element("button", {}, "Close")));
document.body.append(palette, help);
for (const dialog of [palette, help]) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

let after = 0;

function isTyping(target) {
  // A field keeps the focus for a moment after its dialog has been closed.
  return target instanceof HTMLElement && !target.closest("dialog:not([open])") && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

function step(by) {
  const rows = [...document.querySelectorAll("main tbody th a, main ol.events .what a, main ol.signatures .where a")];
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const follows = Date.now() < after;
  after = 0;
  if (follows && KEYS[event.key]) location.assign(KEYS[event.key][0]);
  else if (event.key === "g") after = Date.now() + FOLLOWS_WITHIN;
  else if (event.key === "?") open(help);
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "/") document.querySelector("main input[type=search], main #filter-search, main input[name=search]")?.focus();
  else return;
  event.preventDefault();
});

document.getElementById("jump-link")?.addEventListener("click", (event) => {
  event.preventDefault();
  openPalette();
});
