const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const steps = all("section");
const lines = all("nav li");
const boxes = all("svg .box");
const routes = all("svg .line");
const chapters = all(".time a");
const picture = document.querySelector("svg");
const slider = document.querySelector("footer input");
const where = document.querySelector("output");
const lesson = document.title;
const read = (step, name) => JSON.parse(step.dataset[name] || "[]");
let now = 0;
let cell = 0; // of the matrix that the step makes

function go(to, said = "") {
  now = Math.min(Math.max(to, 0), steps.length - 1);
  const step = steps[now];
  const [here, ...around] = read(step, "lines").map(String);
  steps.forEach((one, k) => one.classList.toggle("shown", k === now));
  for (const line of lines) {
    line.classList.toggle("here", line.dataset.line === here);
    line.classList.toggle("outer", around.includes(line.dataset.line));
  }
  const title = step.dataset.title;
  slider.value = now;
  where.textContent = said ? `${said} · ${title}` : title;
  where.classList.toggle("said", said !== "");
  document.title = `${title} · ${lesson}`;
  history.replaceState(null, "", "#" + now);
  document.querySelector("main").scrollTo(0, 0);
  document.querySelector("nav li.here")?.scrollIntoView({ block: "nearest" });
  chapters.forEach((chapter, k) => {
    const first = Number(chapter.hash.slice(1));
    const next = chapters[k + 1]?.hash.slice(1) ?? steps.length - 1;
    if (first <= now && now < next) chapter.setAttribute("aria-current", "step");
    else chapter.removeAttribute("aria-current");
  });
  draw(step);
  const made = matrix(step, step.dataset.made);
  if (made?.cells.length) choose(made, Math.min(cell, made.cells.length - 1));
}

// The graph: what is there, what has arrived, what the step goes through.
function draw(step) {
  if (!picture) return;
  picture.classList.toggle("turned", step.dataset.pass === "backward");
  boxes.forEach((box, k) => {
    const { forward, value, grads, sums } = box.dataset;
    const arrived = grads.split(" ").filter((at) => at && Number(at) <= now).length;
    const gone = Number(forward) <= now;
    box.classList.toggle("future", !gone);
    box.classList.toggle("done", gone);
    box.classList.toggle("reached", arrived > 0);
    box.classList.toggle("now", step.dataset.box === String(k));
    box.querySelector(".number").textContent =
      arrived ? "∂ " + sums.split("|")[arrived - 1] : gone ? value : "";
  });
  const lit = read(step, "lit");
  const box = boxes[step.dataset.box];
  const aside = picture.parentElement;
  if (box && aside.scrollHeight > aside.clientHeight) {
    const { top, height } = box.getBoundingClientRect();
    const wanted = top + height / 2 - aside.getBoundingClientRect().top;
    aside.scrollBy(0, wanted - aside.clientHeight / 2);
  }
  routes.forEach((route, k) => route.classList.toggle("now", lit.includes(k)));
}

// One cursor over all matrices of a step.
function matrix(step, number) {
  const figure = step.querySelector(`figure[data-matrix="${number}"]`);
  return figure && { step, number: Number(number), figure, cells: all("td", figure) };
}

function choose(chosen, at) {
  const { step, number } = chosen;
  const [sets, pairs] = read(step, "links");
  const texts = read(step, "texts");
  const made = Number(step.dataset.made);
  const into = number === made ? [at] : sets[pairs[number][made][at]];
  if (into.length) cell = into[0];
  const slopes = read(step, "slopes")[cell] ?? [];
  all(".slopes td", step).forEach((one, k) => {
    [one.className, one.textContent] = slopes[k].split(" ");
  });
  for (const figure of all("figure", step)) {
    const target = Number(figure.dataset.matrix);
    const linked = sets?.[pairs[number][target][at]] ?? [];
    all("td", figure).forEach((one, k) => {
      one.classList.toggle("cursor", target === number && k === at);
      one.classList.toggle("linked", linked.includes(k));
    });
  }
  const line = step.querySelector(".element");
  if (!line) return;
  if (into.length === 1) line.textContent = texts[into[0]];
  else line.textContent = `${chosen.cells[at].textContent}: it meets ${into.length} elements`;
}

function move(table, key) {
  const step = steps[now];
  const chosen = matrix(step, table.closest("figure").dataset.matrix);
  const own = all("td", table);
  const width = all("td", table.querySelector("tr:last-child")).length;
  const before = own.findIndex((one) => one.classList.contains("cursor"));
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width }[key];
  const row = Math.floor(before / width);
  let to = before < 0 ? 0 : before + by;
  const is_flat = key === "ArrowLeft" || key === "ArrowRight";
  if (is_flat && Math.floor(to / width) !== row) to = before;
  if (!own[to]) to = Math.max(before, 0);
  choose(chosen, chosen.cells.indexOf(own[to]));
  own[to].scrollIntoView({ block: "nearest", inline: "nearest" });
}

for (const table of all("section[data-made] table")) {
  table.addEventListener("click", (event) => {
    const one = event.target.closest("td");
    if (!one) return;
    const chosen = matrix(steps[now], table.closest("figure").dataset.matrix);
    choose(chosen, chosen.cells.indexOf(one));
  });
}

const keys = {
  ArrowRight: () => now + 1, ArrowDown: () => now + 1, " ": () => now + 1,
  ArrowLeft: () => now - 1, ArrowUp: () => now - 1,
  s: () => now + 1, S: () => now - 1,
  PageDown: () => now + 10, PageUp: () => now - 10,
  Home: () => 0, End: () => steps.length - 1,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
  const at = event.target;
  if (at.closest("form input")) return; // it is typed there
  if (event.key === " " && at.closest("button, a")) return; // it presses them
  event.preventDefault();
  if (event.key.startsWith("Arrow") && at.closest("section[data-made] table")) {
    move(at.closest("table"), event.key);
  } else {
    go(keys[event.key]());
  }
});
slider.addEventListener("input", () => go(Number(slider.value)));
document.querySelector("#back").addEventListener("click", () => go(now - 1));
document.querySelector("#on").addEventListener("click", () => go(now + 1));
for (const line of lines) {
  line.addEventListener("click", () => {
    const own = steps.map((step, k) => k).filter((k) =>
      read(steps[k], "lines").includes(Number(line.dataset.line)));
    if (own.length) go(own.find((k) => k > now) ?? own[0]);
  });
}
for (const chapter of chapters) {
  chapter.parentElement.style.flexGrow = chapter.parentElement.dataset.events;
}

// The questions of the author: what is typed is read as a number, and never run.
function spoken(text) {
  const plain = text.trim().replace("−", "-").replace(/^[+]/, "");
  if (!/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  const [front, power] = plain.toLowerCase().split("e");
  const digits = front.replace(/[-.]/g, "").replace(/^0+/, "").length;
  const behind = (front.split(".")[1] ?? "").length;
  const number = Number(plain); // infinite where it is too large, and never rounded so
  const half = Number.isFinite(number) ? 0.5 * 10 ** (Number(power ?? 0) - behind) : 0;
  return { number, digits, half };
}

// "right", "rough" (the digits are too few), what is known of a wrong answer, or "".
function verdict(said, { right: [number, off], wrong, digits }) {
  const fits = (to, by) =>
    Math.abs(said.number - to) <= by + (said.digits < digits ? 0 : said.half);
  if (fits(number, off)) return { is_right: true };
  if (said.digits && said.digits < digits && Math.abs(said.number - number) <= off + said.half)
    return { is_rough: true, why: `That is it, roughly: write ${digits} digits.` };
  const known = wrong.find(([to, by]) => fits(to, by));
  return { why: known ? known[2] : "" };
}

for (const form of all("form.question")) {
  const asked = JSON.parse(form.dataset.question);
  const line = form.querySelector("[role]");
  const field = form.querySelector("input");
  let tries = 0;
  const tell = (...said) => { line.textContent = said.filter(Boolean).join("\n"); };
  const done = (first) => {
    tell(first + asked.told, asked.after);
    for (const one of all("button, input", form)) one.disabled = true;
  };
  const judge = (text, { is_right, is_rough, why }) => {
    if (is_right) return done("Right. ");
    if (is_rough) return tell(why);
    tries += 1;
    if (tries >= asked.tries) return done(`Not ${text}. `);
    tell(`Not ${text}.`, why || asked.hint);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field?.value.trim()) return;
    const said = spoken(field.value);
    if (said === null) tell("Write a number, such as 0.25 or -1e-3.");
    else judge(field.value.trim(), verdict(said, asked));
  });
  for (const button of all("button[value]", form)) {
    button.addEventListener("click", () => judge(button.value, {
      is_right: button.value === asked.right,
      why: Object.hasOwn(asked.wrong, button.value) ? asked.wrong[button.value] : "",
    }));
  }
  form.querySelector(".show").addEventListener("click", () => done(""));
}

// A place that is none leads to the nearest one, and says so.
function arrive() {
  let asked = location.hash.slice(1);
  try { asked = decodeURIComponent(asked); } catch { /* it is no text: say it as it is */ }
  const is_number = /^\d+$/.test(asked);
  const said = asked && !(is_number && Number(asked) < steps.length)
    ? `there is no step ${asked}, 0 to ${steps.length - 1} are there` : "";
  go(is_number ? Number(asked) : 0, said);
}
addEventListener("hashchange", arrive);
arrive();
