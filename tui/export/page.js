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

// The questions of the author. What is typed is read here, token by token, and never
// run: numbers, elements of what is known where the question stands, and these.
const NUMBER = /^(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?(?![\p{L}\p{N}_.])/iu;
const NO_NAME = /^(?![\p{L}\p{N}_])(?!\.(?!T(?![\p{L}\p{N}_]))[\p{L}\p{N}_])/u;
const SIGN = /^(\*\*|[-+*/@()[\],]|\.T)/;
const CALLS = {
  exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, tanh: Math.tanh,
  sin: Math.sin, cos: Math.cos, relu: (x) => Math.max(x, 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)), maximum: Math.max, minimum: Math.min,
};
const FACTS = { pi: Math.PI, inf: Infinity, nan: NaN };
const ROUNDED = 4; // digits from which on a number inside an expression may be rounded
const MOST_OFF = 0.005; // how far such numbers may take the whole off

// A number as it is written: its digits, and half a unit of the last of them.
function written(text) {
  const [front, power] = text.toLowerCase().split("e");
  const digits = front.replace(".", "").replace(/^0+/, "").length;
  const behind = (front.split(".")[1] ?? "").length;
  const number = Number(text); // infinite where it is too large, and never rounded so
  const half = Number.isFinite(number) ? 0.5 * 10 ** (Number(power ?? 0) - behind) : 0;
  return { number, digits, half };
}

function tokens(text, known) {
  const names = [known, CALLS, FACTS].flatMap(Object.keys).sort((a, b) => b.length - a.length);
  const found = [];
  for (let rest = text.trimStart(); rest; rest = rest.trimStart()) {
    const number = NUMBER.exec(rest)?.[0];
    const name = names.find((one) => rest.startsWith(one) && NO_NAME.test(rest.slice(one.length)));
    const part = number ?? name ?? SIGN.exec(rest)?.[0];
    if (!part) throw Error(`${/^[\p{L}\p{N}_.]+|^./u.exec(rest)[0]} is not known here.`);
    found.push(number ? { ...written(number), text: number } : { name, sign: name ? "" : part });
    rest = rest.slice(part.length);
  }
  return found;
}

const shape = (one) => (Array.isArray(one) ? [one.length, ...(one.length ? shape(one[0]) : [])] : []);
const transposed = (one) => (shape(one).length < 2 ? one : one[0].map((_, k) => one.map((row) => row[k])));

function single(value) {
  while (Array.isArray(value) && value.length === 1) [value] = value;
  if (!Array.isArray(value)) return Number(value); // what JSON has no number for is text
  throw Error(`The shape is (${shape(value).join(", ")}): write one element, as in W[0, 1].`);
}

function element(value, places) {
  for (const place of places) {
    const count = Array.isArray(value) ? value.length : 0;
    const at = place < 0 ? place + count : place;
    if (!(at in Object(value)) || !count) throw Error(`There is no element [${places.join(", ")}].`);
    value = value[at];
  }
  return value;
}

function dot(one, other) {
  const rows = [one, other].every((each) => shape(each).length === 1);
  if (!rows || one.length !== other.length) throw Error("@ takes two rows of one length here.");
  return one.reduce((sum, each, k) => sum + Number(each) * Number(other[k]), 0);
}

// The value of tokens, by the precedence that Python has.
function evaluate(all_of, known) {
  const rest = [...all_of];
  const take = (...signs) => (signs.includes(rest[0]?.sign) ? rest.shift().sign : "");
  const need = (sign) => { if (!take(sign)) throw Error(`A ${sign} is missing.`); };
  function list(closing) {
    const found = [sum()];
    while (take(",")) found.push(sum());
    need(closing);
    return found;
  }
  function atom() {
    const { number, name, sign } = rest.shift() ?? {};
    if (number !== undefined) return number;
    if (Object.hasOwn(CALLS, name) && take("(")) return CALLS[name](...list(")").map(single));
    if (Object.hasOwn(known, name)) return known[name];
    if (Object.hasOwn(FACTS, name)) return FACTS[name];
    if (sign !== "(") throw Error("A number is missing.");
    const found = sum();
    need(")");
    return found;
  }
  function part() {
    let found = atom();
    for (let sign = take("[", ".T"); sign; sign = take("[", ".T"))
      found = sign === "[" ? element(found, list("]").map(single)) : transposed(found);
    return found;
  }
  function power() {
    const base = part();
    return take("**") ? single(base) ** single(signed()) : base;
  }
  function signed() {
    const sign = take("-", "+");
    return sign ? (sign === "-" ? -1 : 1) * single(signed()) : power();
  }
  function product() {
    let found = signed();
    for (let sign = take("*", "/", "@"); sign; sign = take("*", "/", "@")) {
      const next = signed();
      if (sign === "@") found = dot(found, next);
      else found = sign === "*" ? single(found) * single(next) : single(found) / single(next);
    }
    return found;
  }
  function sum() {
    let found = product();
    for (let sign = take("+", "-"); sign; sign = take("+", "-")) {
      const next = single(product());
      found = sign === "+" ? single(found) + next : single(found) - next;
    }
    return found;
  }
  const found = single(sum());
  if (rest.length) throw Error("Write one number, or one expression such as 1.1 * 3.");
  return found;
}

// What is said: its number, and how far the one that is meant may be off.
function spoken(text, known = {}) {
  const plain = text.trim().replaceAll("−", "-").replaceAll(/[×·]/g, "*");
  const [, sign, digits] = /^([-+]?)(.*)$/s.exec(plain);
  if (NUMBER.exec(digits)?.[0] === digits) {
    const found = written(digits);
    return sign === "-" ? { ...found, number: -found.number } : found;
  }
  const found = tokens(plain, known);
  const number = evaluate(found, known);
  let off = 0;
  for (const one of found) {
    if (!one.text?.includes(".") || one.digits < ROUNDED) continue;
    const other = found.map((each) => (each === one ? { ...one, number: one.number + one.half } : each));
    off += Math.abs(evaluate(other, known) - number);
  }
  return { number, digits: Infinity, half: Math.min(off, MOST_OFF * Math.abs(number)) };
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
    let said = null;
    try { said = spoken(field.value, asked.known); } catch (error) { return tell(error.message); }
    judge(field.value.trim(), verdict(said, asked));
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
