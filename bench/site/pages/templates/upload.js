// Sends a bundle that a person drops or chooses, and shows what the site answers: always as text.
(() => {
  "use strict";
  const form = document.getElementById("upload");
  const { api, root, most } = form.dataset;
  const input = form.querySelector("input");
  const button = form.querySelector("button");
  const chosen = document.getElementById("chosen");
  const answer = document.getElementById("answer");
  const PAGE = /^\/[\w.~-][\w.\/~-]{0,200}$/;
  const ID = /^(?:[0-9a-f]{16}|[0-9a-f]{64})$/;
  let bundle = null;
  let isSending = false;

  function element(name, text, look = "") {
    const made = document.createElement(name);
    made.textContent = String(text);
    made.className = look;
    return made;
  }

  function link(text, path) {
    const made = element("a", text);
    made.href = root + path;
    return made;
  }

  function list(parts) {
    const made = document.createElement("ul");
    for (const part of parts) {
      const line = document.createElement("li");
      line.append(...[part].flat());
      made.append(line);
    }
    return made;
  }

  function say(words, tone, parts = []) {
    answer.replaceChildren(element("p", words, `word ${tone}`), ...(parts.length ? [list(parts)] : []));
  }

  function choose(files) {
    const [file] = files;
    bundle = null;
    answer.replaceChildren();
    chosen.textContent = file ? `${file.name}, ${(file.size / 1000).toFixed(1)} kB` : "No file is chosen.";
    if (files.length > 1) {
      chosen.textContent = `${files.length} files`;
      say("Send one bundle at a time.", "bad");
    } else if (file && file.size > most) {
      say(`This file is too large: a bundle has at most ${(most / 1e6).toFixed(1)} MB.`, "bad");
    } else {
      bundle = file ?? null;
    }
    button.disabled = bundle === null;
  }

  function findings(found) {
    const listed = Array.isArray(found.findings) ? found.findings : [];
    return listed.map((one) => [
      element("b", `${one.severity}: `),
      element("span", `${one.sentence} ${one.remedy} `),
      element("code", one.path),
    ]);
  }

  function stored(found, isNew) {
    const state = String(found.state);
    const meaning = [...document.querySelectorAll("[data-state]")].find((one) => one.dataset.state === state);
    const parts = [element("span", meaning ? `${state}: ${meaning.textContent}.` : state)];
    if (found.reason) parts.push(element("span", `Reason: ${found.reason}`));
    if (PAGE.test(found.url)) parts.push(link("Its page, once the site shows it", found.url.slice(1)));
    if (ID.test(found.id)) parts.push(link(`Its state, as JSON (${found.id})`, `api/submissions/${found.id}`));
    say(isNew ? "The site has it." : "The site had this record already.", "good", [...parts, ...findings(found)]);
  }

  function show(response, found) {
    const wait = Number(response.headers.get("Retry-After"));
    if (response.ok) stored(found, response.status === 201);
    else if (wait) say(`The site is busy. Send it again in ${wait} s.`, "warn");
    else say(`Refused: ${found.title}`, "bad", findings(found));
  }

  async function send() {
    isSending = input.disabled = true; // the button keeps the focus
    say(`Sending ${bundle.name} ...`, "muted");
    try {
      const response = await fetch(api, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: await bundle.arrayBuffer(),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(120_000),
      });
      show(response, Object(await response.json()));
    } catch {
      say("The file cannot be read, or the site does not answer. Send it again: the same record counts once.", "bad");
    }
    isSending = input.disabled = false;
  }

  const carriesFiles = ({ dataTransfer }) => dataTransfer !== null && dataTransfer.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    form.classList.add("over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) form.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    form.classList.remove("over");
    if (isSending) return;
    input.files = event.dataTransfer.files;
    choose(input.files);
    form.scrollIntoView({ block: "nearest" });
    button.focus();
  });
  input.addEventListener("change", () => choose(input.files));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (bundle !== null && !isSending) send();
  });
  choose(input.files); // what a browser kept when the page was loaded again
})();
