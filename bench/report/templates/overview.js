(() => {
  "use strict";
  const table = document.getElementById("rows"), body = table.tBodies[0], rows = [...body.rows];
  const tools = document.getElementById("tools"), field = tools.querySelector("input");
  const count = tools.querySelector("output"), heads = [...table.tHead.rows[0].cells];
  const texts = rows.map((row) => row.textContent.toLowerCase());

  const narrow = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = `${shown} of ${rows.length} shown`;
  };

  const key = (row, column) => {
    const cell = row.cells[column];
    if (!("order" in cell.dataset)) return (cell.firstElementChild ?? cell).textContent;
    return cell.dataset.order === "" ? null : Number(cell.dataset.order);
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);

  const sort = (column) => {
    const head = heads[column], falls = head.getAttribute("aria-sort") === "ascending";
    const keyed = rows.map((row, at) => ({ row, at, key: key(row, column) }));
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.at - b.at;
      return (falls ? -1 : 1) * compare(a.key, b.key) || a.at - b.at;
    });
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    body.append(...keyed.map((each) => each.row));
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
  });
  field.addEventListener("input", narrow);
  table.classList.add("sortable");
  tools.hidden = false;
  narrow();
})();
