// What the pages about differences can do more with a script: copy a command, choose all groups.

function button(text) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  return made;
}

// --- Copying ------------------------------------------------------------------------------------
// Without HTTPS there is no clipboard to write to: then the text is selected, ready for the keys.

async function copy(pre, told) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    told.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(pre);
    told.textContent = "Selected";
  }
  setTimeout(() => (told.textContent = "Copy"), 2000);
}

function addCopying() {
  for (const pre of document.querySelectorAll(".command > pre")) {
    if (pre.parentElement.querySelector("button")) continue;
    const made = button("Copy");
    made.id = `copy-${pre.id}`;
    made.setAttribute("aria-live", "polite");
    made.addEventListener("click", () => copy(pre, made));
    pre.parentElement.append(made);
  }
}

// --- Choosing -----------------------------------------------------------------------------------

const boxes = () => [...document.querySelectorAll('#bulk-form [name="group"]')];

function addChoosingAll() {
  const place = document.getElementById("tick-all");
  if (!place || place.firstChild) return;
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Choose all groups of this page");
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    countChosen();
  });
  place.append(all);
}

function countChosen() {
  const told = document.getElementById("bulk-count");
  if (!told) return;
  const chosen = boxes().filter((box) => box.checked).length;
  told.textContent = chosen === 1 ? "1 group chosen" : `${chosen} groups chosen`;
}

function dress() {
  addCopying();
  addChoosingAll();
  countChosen();
}

dress();
document.addEventListener("change", countChosen);
document.body.addEventListener("htmx:afterSettle", dress);
