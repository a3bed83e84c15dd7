// Keeps the page live without disturbing whoever reads or types in it.
// The server renders everything; this module only decides how a fresh rendering is taken over.

const htmx = window.htmx;
const live = document.getElementById("live");

// --- Taking over a fresh rendering ------------------------------------------------------------
// Nodes are changed in place, so that focus, selection, scrolling and open <details> survive.
// A form in which somebody has begun to type (`data-keep`) is left exactly as it is.

function isTouched(form) {
  const sentBack = form.dataset.keep === "always";
  return sentBack || form.contains(document.activeElement) || [...form.elements].some(hasChanged);
}

// The slider is left out: it repeats the number field, rounded to its own steps.
function hasChanged(field) {
  if (field instanceof HTMLSelectElement) return [...field.options].some((o) => o.selected !== o.defaultSelected);
  if (!(field instanceof HTMLInputElement) || field.type === "hidden" || field.type === "range") return false;
  return field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

function isSameKind(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");
}

function takeOver(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute("data-own")) return; // another script draws there, or it was asked for once
  if (old.hasAttribute("data-keep") && isTouched(old)) {
    warnIfMovedOn(old, fresh);
    return;
  }
  takeOverAttributes(old, fresh);
  takeOverChildren(old, fresh);
}

function takeOverAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  if (old instanceof HTMLInputElement && old.type !== "checkbox") old.value = fresh.getAttribute("value") ?? "";
}

function takeOverChildren(old, fresh) {
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const found = at && isSameKind(at, wanted) ? at : findById(old, wanted);
    if (!found) {
      old.insertBefore(wanted, at);
      continue;
    }
    if (found !== at) old.insertBefore(found, at);
    takeOver(found, wanted);
    at = found.nextSibling;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function findById(parent, wanted) {
  return wanted.id ? [...parent.children].find((child) => child.id === wanted.id && isSameKind(child, wanted)) : undefined;
}

function warnIfMovedOn(form, fresh) {
  const seen = form.elements.namedItem("expected_version");
  const notice = form.querySelector(".moved-on");
  const current = fresh.querySelector('[name="expected_version"]');
  if (!seen || !notice || !current || seen.value === current.value) return;
  notice.textContent = `The rules moved on from version ${seen.value} to ${current.value} while you were here. Sending this form will be refused once, so that you can look again.`;
  notice.hidden = false;
}

// A filter asks for the page at another address: from then on that one is asked for again.
function follow(target, address) {
  if (!address || target.getAttribute("hx-get") === address) return;
  target.setAttribute("hx-get", address);
  htmx.process(target);
  history.replaceState(null, "", address);
}

htmx?.defineExtension("quiet", {
  isInlineSwap: (style) => style === "quiet",
  handleSwap: (style, target, fragment) => {
    if (style !== "quiet") return false;
    const fresh = fragment.querySelector("#live");
    if (fresh) {
      takeOverChildren(target, fresh);
      follow(target, fresh.getAttribute("hx-get"));
    }
    return [];
  },
});

// --- Knowing when to ask ------------------------------------------------------------------------
// The page asks by itself every few seconds; the event stream makes it ask at once when something
// was decided. A hidden page lets go of its stream: browsers allow few connections per host.

let stream;

function listen() {
  stream?.close();
  stream = undefined;
  if (document.hidden) return;
  stream = new EventSource("/api/v1/events");
  for (const kind of ["version", "decision"]) {
    stream.addEventListener(kind, () => {
      htmx.trigger(live, "changed");
      dispatchEvent(new CustomEvent("cutover:decided"));
    });
  }
  if (!document.querySelector("[data-chart]")) return;
  stream.addEventListener("status", (event) => {
    dispatchEvent(new CustomEvent("cutover:status", { detail: JSON.parse(event.data) }));
  });
}

if (htmx && live) {
  listen();
  document.addEventListener("visibilitychange", listen);
}

// --- Saying when the numbers are old ------------------------------------------------------------

const stale = document.getElementById("stale");
let answeredAt = Date.now();

function noteFailure() {
  const seconds = Math.round((Date.now() - answeredAt) / 1000);
  stale.textContent = `The controller has not answered for ${seconds} s; what you see is old. Traffic goes on by the rules last received. Trying again.`;
  stale.hidden = false;
}

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.body.addEventListener(failure, noteFailure);
}

// A page may have become "not here" (its route left the rules): that is an answer, and it is shown.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.serverResponse.includes('id="live"')) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
  answeredAt = Date.now();
  stale.hidden = true;
});

// --- Changing a weight --------------------------------------------------------------------------
// Slider and number say the same; the preview says what will happen before it does.

let previewed = 0;

async function preview(form) {
  const number = form.elements.namedItem("weight");
  const output = form.querySelector("#weight-preview");
  const asked = ++previewed;
  if (number.value === "" || !number.validity.valid) {
    tell(output, ["The weight is a percentage from 0 to 100 with at most two decimals."]);
    return;
  }
  const query = new URLSearchParams({ weight: number.value });
  const answer = await fetch(`${form.dataset.preview}?${query}`).catch(() => undefined);
  if (asked !== previewed) return; // something else was typed meanwhile
  if (answer?.ok) tell(output, ...words(await answer.json()));
  else tell(output, ["What this would do cannot be told right now; the weight can be set all the same."]);
}

function words(told) {
  if (told.to === null) {
    return [[`${told.now}% is in force. Raising it only adds users to modern, lowering it only removes them; nobody is moved back and forth.`], told.warnings];
  }
  const moved = Math.round(told.moved * 10000) / 100;
  const stays = `buckets ${told.buckets[0]} to ${told.buckets[1] - 1}, about ${told.requests_per_second.toFixed(1)}/s now; the others stay where they are`;
  const from = told.to === "modern" ? "from legacy to modern" : "from modern to legacy";
  const lines = [`${told.now}% → ${told.weight}%: ${moved}% of the users move ${from} (${stays}).`];
  if (told.power) lines.push(`Then, ${told.power}.`);
  return [lines, told.warnings];
}

function tell(output, lines, warnings = []) {
  const paragraphs = lines.map((text) => Object.assign(document.createElement("p"), { textContent: text }));
  const list = Object.assign(document.createElement("ul"), { className: "warnings" });
  list.append(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  output.replaceChildren(...paragraphs, ...(warnings.length ? [list] : []));
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("#weight-form");
  if (!form) return;
  const number = form.elements.namedItem("weight");
  const slider = document.getElementById("weight-slider");
  if (event.target === slider) number.value = slider.value;
  if (event.target === number) slider.value = number.value;
  preview(form);
});

// --- Filtering as somebody types ------------------------------------------------------------------

let typing;

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("#find-form");
  if (!form || !htmx) return;
  clearTimeout(typing);
  typing = setTimeout(() => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    htmx.ajax("GET", query.size ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action"), { source: live, target: live, swap: "quiet" });
  }, 150);
});
