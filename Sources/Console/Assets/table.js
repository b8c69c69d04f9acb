// A table whose rows are kept by key, so that what has the keyboard's focus stays while numbers change.
import { h } from "/dom.js";

// columns: {name, cell(row) → text or node, right, wide, mono, sort(row)}.
export function table(columns, key, empty) {
  let rows = [], sorted = null, descending = true;
  const known = new Map();
  const heads = columns.map((column) => {
    const label = column.sort ? h("button", { type: "button", onclick: () => sortBy(column) }, column.name) : column.name;
    return h("th", { class: column.right ? "right" : "", scope: "col" }, label);
  });
  const body = h("tbody", {});
  const nothing = h("div", { class: "empty", hidden: true }, empty);
  const element = h("div", { class: "scroll", tabIndex: 0 }, h("table", {}, h("thead", {}, h("tr", {}, heads)), body), nothing);

  function sortBy(column) {
    descending = sorted === column ? !descending : true;
    sorted = column;
    columns.forEach((other, place) => {
      if (other === sorted) heads[place].setAttribute("aria-sort", descending ? "descending" : "ascending");
      else heads[place].removeAttribute("aria-sort");
    });
    draw();
  }

  function draw() {
    const ordered = sorted ? [...rows].sort((a, b) => compare(sorted.sort(a), sorted.sort(b)) * (descending ? -1 : 1)) : rows;
    const wanted = ordered.map((row) => {
      const name = key(row);
      let kept = known.get(name);
      const cells = columns.map((column) => column.cell(row));
      if (!kept) {
        kept = { row: h("tr", {}), texts: [] };
        known.set(name, kept);
        kept.row.append(...columns.map((column) => h("td", { class: [column.right && "right", column.wide && "wide", column.mono && "mono"].filter(Boolean).join(" ") })));
      }
      cells.forEach((cell, place) => {
        const text = cell instanceof Node ? cell.textContent + (cell.className ?? "") + (cell.href ?? "") : String(cell);
        if (kept.texts[place] === text) return;
        kept.texts[place] = text;
        kept.row.children[place].replaceChildren(cell);
      });
      return kept.row;
    });
    const names = new Set(ordered.map(key));
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    if (wanted.length !== body.children.length || wanted.some((row, place) => body.children[place] !== row)) {
      const focused = document.activeElement;
      body.replaceChildren(...wanted);
      if (body.contains(focused)) focused.focus();
    }
    nothing.hidden = rows.length > 0;
  }

  element.update = (new_rows) => { rows = new_rows; draw(); };
  return element;
}

function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  return a < b ? -1 : 1;
}
