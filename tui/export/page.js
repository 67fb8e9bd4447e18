const steps = [...document.querySelectorAll("section")];
const lines = [...document.querySelectorAll("li")];
const slider = document.querySelector("input");
const where = document.querySelector("output");
let now = 0;
function go(to) {
  now = Math.min(Math.max(to, 0), steps.length - 1);
  const at = steps[now].dataset.lines.split(" ").filter(Boolean);
  steps.forEach((step, k) => step.classList.toggle("shown", k === now));
  for (const line of lines) {
    line.classList.toggle("here", line.dataset.line === at[0]);
    line.classList.toggle("outer", at.slice(1).includes(line.dataset.line));
  }
  slider.value = now;
  where.textContent = steps[now].dataset.title;
  document.title = steps[now].dataset.title;
  document.querySelector("main").scrollTo(0, 0);
  const line = document.querySelector("li.here");
  if (line) line.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", "#" + now);
}
const keys = {
  ArrowRight: () => now + 1, ArrowDown: () => now + 1, " ": () => now + 1,
  ArrowLeft: () => now - 1, ArrowUp: () => now - 1,
  PageDown: () => now + 10, PageUp: () => now - 10,
  Home: () => 0, End: () => steps.length - 1,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
  event.preventDefault();
  go(keys[event.key]());
});
slider.addEventListener("input", () => go(Number(slider.value)));
document.querySelector("#back").addEventListener("click", () => go(now - 1));
document.querySelector("#on").addEventListener("click", () => go(now + 1));
for (const line of lines) {
  line.addEventListener("click", () => {
    const own = steps.map((step, k) => k).filter((k) =>
      steps[k].dataset.lines.split(" ").includes(line.dataset.line));
    if (own.length) go(own.find((k) => k > now) ?? own[0]);
  });
}
addEventListener("hashchange", () => go(Number(location.hash.slice(1)) || 0));
go(Number(location.hash.slice(1)) || 0);
