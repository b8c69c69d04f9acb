import { h, count, address, notice } from "/dom.js";
import { line, topicNames } from "/pages/records.js";

const kept = 500;

export async function page({ root, title, parameters, signal }) {
  const topic = h("input", { name: "topic", value: parameters.topic ?? "", required: true, autocomplete: "off", spellcheck: false });
  topic.setAttribute("list", "topics");
  const names = h("datalist", { id: "topics" });
  const contains = h("input", { name: "contains", value: parameters.contains ?? "", autocomplete: "off", spellcheck: false });
  const where = h("input", { name: "where", class: "mono", value: parameters.where ?? "", placeholder: "status >= 500", autocomplete: "off", spellcheck: false });
  const pause = h("button", { type: "button", hidden: true }, "Pause");
  const form = h("form", { class: "bar" }, h("label", { class: "grow" }, "Topic", topic), names, h("label", { class: "grow" }, "Contains", contains),
    h("label", { class: "grow" }, "Where", where), h("button", { class: "main" }, "Follow"), pause);
  const told = h("p", { class: "lead", role: "status" }, "Choose a topic: what comes into it from then on is shown, the newest first.");
  const list = h("div", { class: "lines", hidden: true });
  root.append(...title("Live tail"), form, told, list);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const target = address("tail", Object.fromEntries(new FormData(form)));
    if (location.hash === target) location.reload(); else location.hash = target;
  });
  topicNames(signal).then((all) => names.replaceChildren(...all.map((value) => h("option", { value }))), () => {});
  if (!parameters.topic) return;

  let shown = 0, paused = false, waiting = [], scheduled = false;
  const source = new EventSource("/api/tail?" + new URLSearchParams(parameters));
  signal.addEventListener("abort", () => source.close());
  source.addEventListener("open", () => { told.textContent = "Following. Nothing has come yet."; });
  source.addEventListener("message", (event) => { waiting.push(JSON.parse(event.data)); schedule(); });
  source.addEventListener("gap", (event) => { waiting.push({ gap: JSON.parse(event.data).left_out }); schedule(); });
  source.addEventListener("trouble", (event) => {
    source.close();
    list.before(notice(JSON.parse(event.data).error, "bad"));
  });
  source.addEventListener("error", async () => {
    if (signal.aborted) return;
    // An EventSource does not tell why; asking the same as a plain request does.
    told.textContent = source.readyState === EventSource.CLOSED ? "Not following." : "The stream broke off; trying again.";
    if (source.readyState !== EventSource.CLOSED) return;
    const answer = await fetch("/api/tail?" + new URLSearchParams(parameters), { method: "GET", signal }).catch(() => null);
    if (answer && !answer.ok) list.before(notice((await answer.json().catch(() => ({ error: "refused" }))).error, "bad"));
    else answer?.body?.cancel();
  });
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    schedule();
  });

  function schedule() {
    if (waiting.length > kept) waiting = waiting.slice(-kept);
    if (scheduled || paused) return;
    scheduled = true;
    setTimeout(draw, 100);
  }
  function draw() {
    scheduled = false;
    if (paused || signal.aborted) return;
    const rows = waiting.map((row) => {
      if (row.gap) return h("div", { class: "line gap" }, `${count(row.gap)} more came than a tail shows in a second; narrow it with a filter`);
      shown += 1;
      const element = line(row, parameters.topic);
      element.classList.add("new");
      return element;
    });
    waiting = [];
    list.hidden = false;
    list.prepend(...rows.reverse());
    while (list.children.length > kept) list.lastChild.remove();
    told.textContent = `${count(shown)} came; the newest ${count(list.children.length)} are shown.`;
  }
}
