// Answers for a card, a clip and a system, from the predictions in this page. Loads nothing, sends nothing.
(() => {
  "use strict";
  const known = JSON.parse(document.getElementById("predictions").textContent);
  const form = document.getElementById("finder"), result = document.getElementById("result");
  const fields = form.elements;
  const cards = known.cards.map(([slug, label, name, memory, reason, lengths]) => {
    const words = `${slug} ${label} ${name}`.toLowerCase();
    return { slug, label, name, memory, reason, lengths, words, keys: [slug, label, name].map(plain) };
  });

  // --- the card: a slug, the driver's name, or a part of either

  function plain(text) {
    return text.toLowerCase().replace(/\((r|tm|c)\)|nvidia|geforce|laptop gpu$/g, (word) => (word.startsWith("laptop") ? "laptop" : "")).replace(/[^a-z0-9]/g, "");
  }

  function find(text) {
    const key = plain(text), words = text.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);
    if (!key) return [];
    const same = cards.filter(({ keys }) => keys.some((each) => each === key || each === `rtx${key}`));
    if (same.length) return same;
    const begins = cards.filter(({ keys }) => keys.some((each) => each.startsWith(key) || each.startsWith(`rtx${key}`)));
    return begins.length ? begins : cards.filter((card) => words.every((word) => card.words.includes(word)));
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
    const hours = Math.floor(length / 3600), minutes = Math.floor((length % 3600) / 60), rest = length % 60;
    return [hours && `${hours} h`, minutes && `${minutes} min`, rest && `${rest} s`].filter(Boolean).join(" ");
  }

  // --- the answer

  const ORDER = Object.keys(known.fits);

  function judge([fits, likely, misfit], context, clip) {
    if (clip > context) return "too_long";
    if (clip <= fits) return "fits";
    if (clip <= likely) return "likely";
    return misfit !== null && clip >= misfit ? "misfit" : "unlikely";
  }

  function place() {
    const system = fields.system.value, has = fields.desktop.value === "1";
    const found = known.places.findIndex(([words, desktop]) => words === system && desktop === has);
    return found >= 0 ? found : known.places.findIndex(([words]) => words === system);
  }

  function ways(card, clip) {
    const tokens = Number(fields.tokens.value), shape = known.models[fields.model.value], context = known.context[tokens];
    return known.profiles.map(([profile, words], at) => {
      const which = ((shape * known.profiles.length + at) * known.places.length + place()) * known.tokens.length + tokens;
      const lengths = known.lengths[card.lengths[which]];
      return { profile, words, lengths, context, fit: judge(lengths, context, clip) };
    });
  }

  // --- what is shown: text, never markup

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function lengthWords({ lengths: [fits, likely, misfit], context }) {
    const nothing = misfit === 1 ? known.words.none : known.words.uncertain;
    const upTo = (length) => (length === null ? nothing : length >= context ? known.words.any : duration(length));
    return [["fits up to", upTo(fits)], ["likely up to", upTo(likely)], ["does not fit from", misfit === null ? known.words.never : duration(misfit)]];
  }

  function drawn(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // The end of the axis that both ways share.
  function axis(found, clip) {
    const longest = found.flatMap(({ lengths }) => lengths.map((length) => length ?? 0));
    return Math.min(found[0].context, 1.1 * Math.max(clip, ...longest));
  }

  function strip([fits, likely, misfit], clip, end) {
    const until = misfit === 1 ? 0 : misfit ?? end;
    const parts = [["fits", 0, fits ?? 0], ["likely", fits ?? 0, likely ?? 0], ["uncertain", likely ?? fits ?? 0, until], ["misfit", until, end]];
    const at = Math.min(clip, end);
    const rects = [...parts.filter(([, from, to]) => to > from), ["clip", at - end / 400, at + end / 400]].map(([kind, from, to]) =>
      drawn("rect", { class: kind, x: (from / end) * 1000, width: ((to - from) / end) * 1000, height: 10 }));
    return drawn("svg", { class: "strip", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, ...rects);
  }

  function wayRow(way, clip, end) {
    const [word, tone] = known.fits[way.fit];
    const terms = lengthWords(way).map(([term, text]) => element("div", {}, element("dt", {}, term), element("dd", {}, text)));
    const name = element("th", { scope: "row" }, way.words, element("span", { class: `word ${tone}` }, word));
    return element("tr", {}, name, element("td", {}, strip(way.lengths, clip, end), element("dl", {}, ...terms)));
  }

  function rowOf(href) {
    return document.querySelector(`#rows a[href="${CSS.escape(href)}"]`)?.closest("tr");
  }

  function measured(row) {
    if (!row || row.querySelector(".stamp.warn")) {
      const link = element("a", { href: "contribute/index.html" }, "Be the first");
      return element("p", {}, "Nobody has published a measurement of this card yet. ", link);
    }
    const text = (column) => [...row.cells[column].childNodes].map((node) => node.textContent.trim()).filter(Boolean).join(", ");
    const words = ` Longest clip: ${text(5)}. Decode speed: ${text(6)}. Records: ${text(7)}.`;
    return element("p", {}, element("span", { class: "stamp" }, "measured"), words);
  }

  function command(card, best, clip) {
    const model = fields.model.value, isFirst = model === fields.model.options[0].value;
    const options = isFirst ? "" : ` --model ${model}`;
    if (ORDER.indexOf(best.fit) > ORDER.indexOf("unlikely")) return `bench plan --any-gpu${options} --clip-seconds ${Math.min(clip, best.context)}`;
    return `bench run --gpu ${card.slug}${options}${best.profile === known.profiles[0][0] ? "" : ` --profile ${best.profile}`}`;
  }

  function verdict(card, clip) {
    const found = ways(card, clip), best = found.reduce((a, b) => (ORDER.indexOf(b.fit) < ORDER.indexOf(a.fit) ? b : a));
    const [, hasDesktop, system] = known.places[place()], [word, tone] = known.fits[best.fit];
    const tokens = known.tokens[Number(fields.tokens.value)], end = axis(found, clip);
    return [
      element("p", { class: `verdict ${tone}` }, best === found[0] ? word : `${word} with ${best.words}`),
      element("p", {}, `${duration(clip)} with ${tokens} new tokens, on ${system}, ${hasDesktop ? "with a desktop" : "headless"}. Predicted, nothing was run.`),
      element("table", { class: "ways found" }, element("caption", { class: "visually-hidden" }, "Ways to run it"), element("tbody", {}, ...found.map((way) => wayRow(way, clip, end)))),
      element("p", { class: "type" }, "Type ", element("code", {}, command(card, best, clip))),
    ];
  }

  function answer(card, clip) {
    const model = fields.model.value, href = known.page.replace("MODEL", model).replace("SLUG", card.slug), row = rowOf(href);
    const body = card.lengths.length
      ? verdict(card, clip)
      : [element("p", { class: "verdict muted" }, "No prediction"), element("p", {}, `${card.reason}.`)];
    return [
      element("p", { class: "subject" }, element("b", {}, card.name), ` ${card.memory}`),
      ...body,
      measured(row),
      ...(row ? [element("p", {}, element("a", { href }, `All figures of ${card.label} with ${model}`))] : []),
    ];
  }

  function choice(found) {
    const button = (card) => {
      const made = element("button", { type: "button" }, card.label, element("small", {}, ` ${card.memory}`));
      made.addEventListener("click", () => { fields.card.value = card.label; update(); fields.card.focus(); });
      return made;
    };
    return [element("p", {}, "Which one?"), element("p", { class: "choices" }, ...found.slice(0, 12).map(button)), ...(found.length > 12 ? [element("p", { class: "soft" }, `${found.length - 12} more: type more of the name`)] : [])];
  }

  const first = [...result.childNodes];

  function shown() {
    const text = fields.card.value, clip = seconds(fields.clip.value);
    if (!text.trim()) return first;
    if (!(clip >= 0.1)) return [element("p", {}, "Write the clip length as 90 s, 5 min or 1:30.")];
    const found = find(text);
    if (found.length === 1) return answer(found[0], clip);
    if (found.length) return choice(found);
    return [element("p", {}, "This card is not in the catalog yet. It can be measured all the same: "), element("p", { class: "type" }, "Type ", element("code", {}, "bench run"))];
  }

  // --- the address keeps the question, so that a link leads to the answer

  const KEYS = ["card", "model", "system", "desktop", "clip", "tokens"];

  function update() {
    const always = known.places.filter(([words]) => words === fields.system.value);
    fields.desktop.disabled = always.length === 1;
    result.replaceChildren(...shown());
    const asked = new URLSearchParams(KEYS.map((key) => [key, fields[key].value]));
    if (fields.card.value) history.replaceState(null, "", `#${asked}`);
  }

  function restore() {
    for (const [key, value] of new URLSearchParams(location.hash.slice(1))) if (KEYS.includes(key)) fields[key].value = value;
    for (const key of KEYS) if (fields[key].tagName === "SELECT" && fields[key].selectedIndex < 0) fields[key].selectedIndex = 0;
    update();
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", restore);
  restore();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", update);
})();
