// Draws the plots of this page from the data within it. Loads nothing, sends nothing, evaluates no strings.
(() => {
  "use strict";
  const {View, compile, expressionInterpreter, parse} = globalThis.vegaForPlots;
  const {config, data, plots} = JSON.parse(document.getElementById("plots-data").textContent);
  const tip = document.getElementById("tip");

  // --- what stands beside the pointer or the chosen mark: text, never markup

  function line(label, text) {
    const row = document.createElement("div");
    const name = document.createElement("span");
    name.textContent = `${label}: `;
    row.append(name, String(text));
    return row;
  }

  function showTip(fields, x, y) {
    const known = Object.entries(fields).filter(([, text]) => text !== "" && text !== "undefined" && text !== "null");
    tip.replaceChildren(...known.map(([label, text]) => line(label, text)));
    tip.hidden = false;
    const {width, height} = tip.getBoundingClientRect();
    const left = Math.max(8, Math.min(x + 14, document.documentElement.clientWidth - width - 8));
    tip.style.left = `${left}px`;
    tip.style.top = `${y - height - 12 < 8 ? y + 18 : y - height - 12}px`;
  }

  function hideTip(host) {
    tip.hidden = true;
    tip.replaceChildren();
    host?.querySelector(".ring")?.remove();
  }

  // --- the keyboard: arrows step through every mark that has something to tell

  function marksOf(view) {
    const found = [];
    const walk = (mark) => {
      for (const item of mark.items) {
        if (item.tooltip) found.push(item);
        if (item.items) item.items.forEach(walk);
      }
    };
    walk(view.scenegraph().root);
    return found;
  }

  function boxOf(view, item) {
    let [x, y] = view.origin();
    for (let group = item.mark.group; group; group = group.mark?.group) {
      x += group.x ?? 0;
      y += group.y ?? 0;
    }
    const {x1, x2, y1, y2} = item.bounds;
    return {x: x + x1, y: y + y1, width: x2 - x1, height: y2 - y1};
  }

  function choose(view, host, item) {
    hideTip(host);
    const box = boxOf(view, item);
    const ring = document.createElement("div");
    ring.className = "ring";
    Object.assign(ring.style, {
      left: `${box.x - 3}px`, top: `${box.y - 3}px`, width: `${box.width + 6}px`, height: `${box.height + 6}px`,
    });
    host.append(ring);
    ring.scrollIntoView({block: "nearest"});
    const seen = ring.getBoundingClientRect();
    showTip(item.tooltip, seen.left + seen.width / 2, seen.top);
  }

  const STEPS = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};

  function listen(view, host) {
    let place = -1;
    host.addEventListener("keydown", (event) => {
      const marks = marksOf(view);
      if (event.key === "Escape") return hideTip(host);
      if (!marks.length || !(event.key in STEPS || event.key === "Home" || event.key === "End")) return undefined;
      event.preventDefault();
      if (event.key === "Home") place = 0;
      else if (event.key === "End") place = marks.length - 1;
      else place = (Math.max(place, STEPS[event.key] < 0 ? 0 : -1) + STEPS[event.key] + marks.length) % marks.length;
      return choose(view, host, marks[place]);
    });
    host.addEventListener("blur", () => hideTip(host));
    host.addEventListener("mouseleave", () => hideTip(host));
  }

  // --- one plot

  async function draw({name, uses, spec}) {
    const figure = document.getElementById(`plot-${name}`);
    const host = figure.querySelector(".canvas");
    const datasets = Object.fromEntries(uses.map((dataset) => [dataset, structuredClone(data[dataset])]));
    const view = new View(parse(compile({...spec, datasets}, {config}).spec, null, {ast: true}), {
      bind: figure.querySelector(".controls"),
      container: host,
      expr: expressionInterpreter,
      renderer: "svg",
      tooltip: (_handler, event, _item, fields) => {
        if (fields && typeof fields === "object") showTip(fields, event.clientX, event.clientY);
        else hideTip(host);
      },
    });
    await view.runAsync();
    host.querySelector("svg").setAttribute("aria-hidden", "true");
    listen(view, host);
    figure.dataset.drawn = "";
  }

  async function drawAll() {
    document.querySelectorAll("[data-plots]").forEach((element) => { element.hidden = false; });
    for (const plot of plots) await draw(plot);
    document.documentElement.dataset.plots = "drawn";
  }

  drawAll();
})();
