// The editor of the rules: line numbers, where problems are, and care for a text that is not sent yet.
// The server checks; the Tab key does what it does everywhere else.

const form = document.getElementById("rules-form");
const text = document.getElementById("rules-text");
const gutter = document.getElementById("gutter");
const caret = document.getElementById("caret");
const found = document.getElementById("rules-check");

// --- Line numbers -------------------------------------------------------------------------------

function wrongLines() {
  return new Set([...found.querySelectorAll("[data-line]")].map((each) => Number(each.dataset.line)));
}

function number() {
  const lines = text.value.split("\n").length;
  const wrong = wrongLines();
  gutter.replaceChildren(
    ...Array.from({ length: lines }, (_, at) => {
      const line = document.createElement("span");
      line.textContent = wrong.has(at + 1) ? `● ${at + 1}` : at + 1;
      if (wrong.has(at + 1)) line.className = "wrong";
      return line;
    }),
  );
  follow();
}

function follow() {
  gutter.scrollTop = text.scrollTop;
}

function tellCaret() {
  const before = text.value.slice(0, text.selectionStart).split("\n");
  caret.textContent = `line ${before.length}, column ${before.at(-1).length + 1}`;
}

// --- From a problem to its place ----------------------------------------------------------------

function goTo(line, column) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const at = Math.min(start + column - 1, text.value.length);
  text.focus();
  text.setSelectionRange(at, at);
  const height = text.scrollHeight / lines.length;
  text.scrollTop = Math.max(0, (line - 6) * height);
  tellCaret();
}

found.addEventListener("click", (event) => {
  const place = event.target.closest("a.place")?.closest("[data-line]");
  if (!place) return;
  event.preventDefault();
  goTo(Number(place.dataset.line), Number(place.dataset.column));
});

// --- What cannot be checked ---------------------------------------------------------------------

function say(sentence) {
  const line = document.createElement("p");
  line.className = "problem";
  line.textContent = sentence;
  found.replaceChildren(line);
}

text.addEventListener("htmx:responseError", (event) => {
  const signedOut = event.detail.xhr.status === 401;
  say(
    signedOut
      ? "You are signed out. Your text is safe: send it, sign in when you are asked, and go on with it."
      : `The text could not be checked (${event.detail.xhr.status}). It stays as it is; go on typing and it is tried again.`,
  );
});

text.addEventListener("htmx:sendError", () => say("The controller does not answer. Your text stays here."));

// --- Leaving ------------------------------------------------------------------------------------
// Whoever leaves with a changed text is asked; who sends it is not.

let sending = false;
form.addEventListener("submit", () => (sending = true));
addEventListener("pageshow", () => (sending = false));
addEventListener("beforeunload", (event) => {
  if (!sending && text.value !== text.defaultValue) event.preventDefault();
});

text.addEventListener("input", number);
text.addEventListener("scroll", follow);
for (const moved of ["keyup", "click", "input"]) text.addEventListener(moved, tellCaret);
found.addEventListener("htmx:afterSwap", number);
number();
