import { h, count, seconds, link, ago, tag, visible } from "/dom.js";
import { plot } from "/plot.js";
import { short } from "/dom.js";
import { state } from "/pages/overview.js";

export function page({ root, title, poll }) {
  const cards = new Map();
  const grid = h("div", { class: "grid" });
  const empty = h("div", { class: "lines empty", hidden: true }, "Nothing reads from the cluster. Start a pipeline: millrace pipeline run -c pipeline.yaml");
  root.append(...title("Pipelines and exports", "A pipeline reads as the consumer group of its name; what it has committed is exported. Pipelines that report on themselves say more."), grid, empty);
  poll("pipelines", {}, 3000, (data) => {
    const reports = new Map(data.pipelines.map((pipeline) => [pipeline.report.pipeline ?? pipeline.key, pipeline]));
    const names = [...new Set([...data.groups.map((group) => group.name), ...reports.keys()])].sort();
    for (const name of cards.keys()) if (!names.includes(name)) { cards.get(name).element.remove(); cards.delete(name); }
    for (const name of names) {
      if (!cards.has(name)) {
        const lag = plot("Lag, records", short);
        lag.className = "plot";
        const facts = h("dl", { class: "pairs" });
        const element = h("section", { class: "card" }, h("h2", {}, link("group", { group: name }, name)), facts, lag);
        cards.set(name, { element, facts, lag });
        grid.append(element);
      }
      const { facts, lag } = cards.get(name);
      const group = data.groups.find((entry) => entry.name === name);
      const report = reports.get(name);
      const pairs = [];
      if (group) pairs.push(["State", state(group.state)], ["Reads", group.topics.join(", ") || "nothing yet"], ["Lag", count(group.lag)], ["Delay", seconds(group.delay)]);
      if (report) {
        pairs.push(["Told", h("span", {}, ago(report.report.time), report.silent ? tag("silent", "bad") : "")]);
        for (const [key, value] of Object.entries(report.report)) {
          if (["kind", "pipeline", "time"].includes(key) || value === null || typeof value === "object") continue;
          pairs.push([key.replaceAll("_", " "), h("span", {}, visible(String(value)))]);
        }
      }
      facts.replaceChildren(...pairs.flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, value)]));
      if (group) lag.update(group.history_time, group.history_lag);
    }
    empty.hidden = names.length > 0;
  });
}
