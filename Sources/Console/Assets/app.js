// The frame: which page is shown, its place in the address, the theme.
import { h, notice } from "/dom.js";
import { poll } from "/api.js";
import * as overview from "/pages/overview.js";
import * as topics from "/pages/topics.js";
import * as records from "/pages/records.js";
import * as tail from "/pages/tail.js";
import * as groups from "/pages/groups.js";
import * as agents from "/pages/agents.js";
import * as pipelines from "/pages/pipelines.js";
import * as nginx from "/pages/nginx.js";

const pages = [
  ["", "Overview", overview.page], ["topics", "Topics", topics.page], ["records", "Messages", records.page], ["tail", "Live tail", tail.page],
  ["groups", "Groups", groups.page], ["agents", "Agents", agents.page], ["pipelines", "Pipelines", pipelines.page], ["nginx", "nginx", nginx.page],
];
const inner = { topic: ["topics", topics.one], record: ["records", records.one], group: ["groups", groups.one], agent: ["agents", agents.one] };

const main = document.getElementById("main");
const nav = document.getElementById("nav");
let leaving = new AbortController();

function show(isFirst) {
  leaving.abort();
  leaving = new AbortController();
  const signal = leaving.signal;
  const [name, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parameters = Object.fromEntries(new URLSearchParams(query));
  const known = pages.find(([page]) => page === name);
  const [section, draw] = inner[name] ?? [name, known?.[2]];
  nav.replaceChildren(...pages.map(([page, title]) => h("a", { href: "#/" + page, "aria-current": page === section ? "page" : null }, title)));
  nav.querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  const root = h("div", {});
  const trouble = h("div", { "aria-live": "polite" });
  main.replaceChildren(trouble, root);
  scrollTo(0, 0);
  const say = (error, data) => {
    const texts = [];
    if (error) texts.push(notice(error.message, "bad"));
    else if (data?.trouble) texts.push(notice("The cluster does not answer; what stands here is old. " + data.trouble, "bad"));
    for (const [what, why] of Object.entries(data?.gaps ?? {})) texts.push(notice(`The cluster does not tell its ${what}: ${why}`, "warn"));
    const signature = texts.map((text) => text.textContent).join("\n");
    if (trouble.dataset.shown !== signature) { trouble.dataset.shown = signature; trouble.replaceChildren(...texts); }
  };
  const context = {
    root, parameters, signal, say,
    title(text, lead = "") {
      document.title = text + " · Millrace";
      return [h("h1", {}, text), h("p", { class: "lead" }, lead)];
    },
    poll(path, query, milliseconds, draw) {
      poll(path, query, milliseconds, signal, (data) => {
        if (data.cluster) document.getElementById("cluster").textContent = "cluster " + data.cluster;
        say(null, data);
        draw(data);
      }, (error) => { if (error) say(error); });
    },
  };
  if (draw) draw(context);
  else root.append(...context.title("No such page"), notice("Nothing is at this address.", "bad"), h("a", { href: "#/" }, "To the overview"));
  if (!isFirst) main.focus({ preventScroll: true });
}

// Light or dark as the system has it, until the person says otherwise.
const system = matchMedia("(prefers-color-scheme: dark)");
function applyTheme() {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? (system.matches ? "dark" : "light");
}
document.getElementById("theme").addEventListener("click", () => {
  localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  applyTheme();
});
system.addEventListener("change", applyTheme);
applyTheme();
addEventListener("hashchange", () => show(false));
show(true);
