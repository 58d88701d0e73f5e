// Answers for a card, a clip and a system, from the predictions in this page. Loads nothing, sends nothing.
(() => {
  "use strict";
  const known = JSON.parse(document.getElementById("predictions").textContent);
  const form = document.getElementById("finder"), result = document.getElementById("result");
  const fields = form.elements;
  const [UPSTREAM] = known.profiles[0];
  const ORDER = Object.keys(known.fits);  // from the best answer to the worst
  const cards = known.cards.map(([slug, label, name, memory, reason, lengths]) => ({
    slug, label, name, memory, reason, lengths,
    words: `${slug} ${label} ${name}`.toLowerCase(),
    keys: [slug, label, name].map(plain),
  }));

  // --- the card: a slug, the driver's name, or a part of either

  function plain(text) {
    const name = text.toLowerCase().replace(/\((r|tm|c)\)|nvidia|geforce/g, "").replace(/laptop gpu$/, "laptop");
    return name.replace(/[^a-z0-9]/g, "");
  }

  function find(text) {
    const key = plain(text), words = text.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);
    if (!key) return [];
    const having = (test) => cards.filter(({ keys }) => keys.some((each) => test(each, key) || test(each, `rtx${key}`)));
    const same = having((each, typed) => each === typed);
    if (same.length) return same;
    const longer = having((each, typed) => each.startsWith(typed));
    return longer.length ? longer : cards.filter((card) => words.every((word) => card.words.includes(word)));
  }

  // --- the clip: 90, 90 s, 1.5 min, 1:30

  function seconds(text) {
    const clock = /^\s*(\d+):([0-5]?\d)\s*$/.exec(text);
    if (clock) return Number(clock[1]) * 60 + Number(clock[2]);
    const found = /^\s*(\d+(?:[.,]\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|)\s*$/i.exec(text);
    if (!found) return NaN;
    return Number(found[1].replace(",", ".")) * ({ h: 3600, m: 60 }[found[2].charAt(0).toLowerCase()] ?? 1);
  }

  function duration(length) {
    if (length < 120) return `${length} s`;
    const whole = Math.round(length), hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60);
    const parts = [[hours, "h"], [minutes, "min"], [whole % 60, "s"]];
    return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
  }

  // --- the answer

  function judge([fits, likely, misfit], context, clip) {
    if (clip > context) return "too_long";
    if (fits !== null && clip <= fits) return "fits";
    if (likely !== null && clip <= likely) return "likely";
    return misfit !== null && clip >= misfit ? "misfit" : "unlikely";
  }

  function place() {
    const system = fields.system.value, has = fields.desktop.value === "1";
    const found = known.places.findIndex(([words, desktop]) => words === system && desktop === has);
    return found >= 0 ? found : known.places.findIndex(([words]) => words === system);
  }

  function ways(card, clip) {
    const tokens = Number(fields.tokens.value), context = known.context[tokens];
    const shape = known.models[fields.model.value];
    return known.profiles.map(([profile, words], nth) => {
      const setting = (shape * known.profiles.length + nth) * known.places.length + place();
      const lengths = known.lengths[card.lengths[setting * known.tokens.length + tokens]];
      return { profile, words, lengths, context, fit: judge(lengths, context, clip) };
    });
  }

  function command(card, best, clip) {
    const model = fields.model.value === fields.model.options[0].value ? "" : ` --model ${fields.model.value}`;
    if (ORDER.indexOf(best.fit) > ORDER.indexOf("unlikely")) {
      return `bench plan --any-gpu${model} --clip-seconds ${Math.min(clip, best.context)}`;
    }
    return `bench run --gpu ${card.slug}${model}${best.profile === UPSTREAM ? "" : ` --profile ${best.profile}`}`;
  }

  // --- what is shown: text, never markup

  function filled(made, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function element(name, attributes, ...children) {
    return filled(document.createElement(name), attributes, children);
  }

  function drawn(name, attributes, ...children) {
    return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  }

  function lengthWords({ lengths: [fits, likely, misfit], context }) {
    const nothing = misfit === 1 ? known.words.none : known.words.uncertain;
    const upTo = (length) => {
      if (length === null) return nothing;
      return length >= context ? known.words.any : duration(length);
    };
    const from = misfit === null ? known.words.never : duration(misfit);
    return [["fits up to", upTo(fits)], ["likely up to", upTo(likely)], ["does not fit from", from]];
  }

  // The end of the axis that all ways share.
  function axis(found, clip) {
    const longest = found.flatMap(({ lengths }) => lengths.map((length) => length ?? 0));
    return Math.min(found[0].context, 1.1 * Math.max(clip, ...longest));
  }

  function strip([fits, likely, misfit], clip, end) {
    const until = misfit === 1 ? 0 : misfit ?? end, at = Math.min(clip, end);
    const parts = [
      ["fits", 0, fits ?? 0],
      ["likely", fits ?? 0, likely ?? 0],
      ["uncertain", likely ?? fits ?? 0, until],
      ["misfit", until, end],
      ["clip", at - end / 400, at + end / 400],
    ];
    const rects = parts.filter(([, from, to]) => to > from).map(([kind, from, to]) =>
      drawn("rect", { class: kind, x: (from / end) * 1000, width: ((to - from) / end) * 1000, height: 10 }));
    const size = { viewBox: "0 0 1000 10", preserveAspectRatio: "none" };
    return drawn("svg", { class: "strip", "aria-hidden": "true", ...size }, ...rects);
  }

  function wayRow(way, clip, end) {
    const [word, tone] = known.fits[way.fit];
    const terms = lengthWords(way).map(([term, text]) =>
      element("div", {}, element("dt", {}, term), element("dd", {}, text)));
    const name = element("th", { scope: "row" }, way.words, element("span", { class: `word ${tone}` }, word));
    return element("tr", {}, name, element("td", {}, strip(way.lengths, clip, end), element("dl", {}, ...terms)));
  }

  function type(text) {
    return element("p", { class: "type" }, "Type ", element("code", {}, text));
  }

  function verdict(card, clip) {
    const found = ways(card, clip), end = axis(found, clip);
    const best = found.reduce((a, b) => (ORDER.indexOf(b.fit) < ORDER.indexOf(a.fit) ? b : a));
    const [, hasDesktop, system] = known.places[place()], [word, tone] = known.fits[best.fit];
    const asked = `${duration(clip)} with ${known.tokens[Number(fields.tokens.value)]} new tokens, on ${system}, `
      + `${hasDesktop ? "with a desktop" : "headless"}. Predicted, nothing was run.`;
    const rows = found.map((way) => wayRow(way, clip, end));
    const caption = element("caption", { class: "visually-hidden" }, "Ways to run it");
    return [
      element("p", { class: `verdict ${tone}` }, best === found[0] ? word : `${word} with ${best.words}`),
      element("p", {}, asked),
      element("table", { class: "ways found" }, caption, element("tbody", {}, ...rows)),
      type(command(card, best, clip)),
    ];
  }

  function measured(row) {
    if (!row || row.dataset.measured === undefined) {
      const link = element("a", { href: known.contribute }, "Be the first");
      return element("p", {}, "Nobody has published a measurement of this card yet. ", link);
    }
    const parts = (column) => [...row.cells[column].childNodes].map((node) => node.textContent.trim()).filter(Boolean);
    const [longest, speed] = [5, 6].map((column) => parts(column).join(", "));
    const words = ` Longest clip: ${longest}. Decode speed: ${speed}. Records: ${parts(7).at(-1)}.`;
    return element("p", {}, element("span", { class: "stamp" }, "measured"), words);
  }

  function answer(card, clip) {
    const model = fields.model.value, href = known.page.replace("MODEL", model).replace("SLUG", card.slug);
    const row = document.querySelector(`#rows a[href="${CSS.escape(href)}"]`)?.closest("tr");
    const body = card.lengths.length
      ? verdict(card, clip)
      : [element("p", { class: "verdict muted" }, "No prediction"), element("p", {}, `${card.reason}.`)];
    const more = element("a", { href }, `All figures of ${card.label} with ${model}`);
    return [
      element("p", { class: "subject" }, element("b", {}, card.name), ` ${card.memory}`),
      ...body,
      measured(row),
      ...(row ? [element("p", {}, more)] : []),
    ];
  }

  const MOST = 12;

  function choice(found) {
    const buttons = found.slice(0, MOST).map((card) => {
      const button = element("button", { type: "button" }, card.label, element("small", {}, ` ${card.memory}`));
      button.addEventListener("click", () => {
        fields.card.value = card.label;
        update();
        fields.card.focus();
      });
      return button;
    });
    const left = found.length - MOST;
    return [
      element("p", {}, "Which one?"),
      element("p", { class: "choices" }, ...buttons),
      ...(left > 0 ? [element("p", { class: "soft" }, `${left} more: type more of the name`)] : []),
    ];
  }

  const atFirst = [...result.childNodes];

  function shown() {
    const clip = seconds(fields.clip.value);
    if (!fields.card.value.trim()) return atFirst;
    if (!(clip >= 0.1)) return [element("p", {}, "Write the clip length as 90 s, 5 min or 1:30.")];
    const found = find(fields.card.value);
    if (found.length) return found.length === 1 ? answer(found[0], clip) : choice(found);
    const unknown = "This card is not in the catalog yet. It can be measured under the driver's own name.";
    return [element("p", {}, unknown), type("bench run")];
  }

  // --- the address keeps the question, so that a link leads to the answer

  const KEYS = ["card", "model", "system", "desktop", "clip", "tokens"];

  function update() {
    const displays = known.places.filter(([words]) => words === fields.system.value);
    fields.desktop.disabled = displays.length === 1;
    if (displays.length === 1) fields.desktop.value = displays[0][1] ? "1" : "";
    result.replaceChildren(...shown());
    const asked = new URLSearchParams(KEYS.map((key) => [key, fields[key].value]));
    if (fields.card.value) history.replaceState(null, "", `#${asked}`);
  }

  function restore() {
    for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
      if (KEYS.includes(key)) fields[key].value = value;
    }
    for (const key of KEYS) {
      if (fields[key].tagName === "SELECT" && fields[key].selectedIndex < 0) fields[key].selectedIndex = 0;
    }
    update();
  }

  // Most visitors ask about the machine that they sit at.
  if (/^win/i.test(navigator.userAgentData?.platform ?? navigator.platform)) {
    fields.system.value = [...fields.system.options].find(({ value }) => value.startsWith("Windows")).value;
  }
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", restore);
  restore();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", update);  // the rows are there then
})();
