// Bundles Vega-Lite, Vega and its expression interpreter into the one script that a report carries.
//
//   node build.mjs [FILE]      default: bench/report/plots/vega.js
import {readFileSync, readdirSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {build} from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "../../bench/report/plots/vega.js");

const result = await build({
  absWorkingDir: here,
  entryPoints: ["entry.mjs"],
  // Vega-Lite takes three helpers of Vega's, which come from vega-util: the rest of Vega would come along.
  alias: {vega: "vega-util"},
  bundle: true,
  format: "iife",
  legalComments: "none",
  metafile: true,
  minify: true,
  target: "es2022",
  write: false,
});

const parts = Object.values(result.metafile.outputs)[0].inputs;
const packages = [...new Set(Object.keys(parts).map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]))]
  .filter(Boolean).sort();

// Every licence once, with the packages that come under it and whose they are.
const licences = new Map();
for (const name of packages) {
  const folder = join(here, "node_modules", name);
  const {version} = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const lines = readFileSync(join(folder, file), "utf8").trim().replaceAll("*/", "* /").split(/\r?\n/);
  const owners = lines.filter((line) => /^\s*copyright\b/i.test(line)).map((line) => line.trim());
  const text = lines.filter((line) => !/^\s*copyright\b/i.test(line)).join("\n").replace(/\n{3,}/g, "\n\n").trim();
  licences.set(text, [...(licences.get(text) ?? []), `${name} ${version}. ${owners.join(" ")}`]);
}
const notices = [...licences].map(([text, names]) => `${names.join("\n")}\n\n${text}`).join("\n\n----\n\n");
const code = result.outputFiles[0].text.trim();
if (/<\/script|<!--/i.test(notices + code)) throw new Error("the bundle would end the script element that holds it");
writeFileSync(target, `/*!\n${notices}\n*/\n${code}\n`);
