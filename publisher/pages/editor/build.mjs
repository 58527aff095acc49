// `npm ci && npm run build` writes ../static/editor.js with the licences of what is in it.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";

const result = await build({
  entryPoints: ["editor.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  write: false,
  metafile: true,
  legalComments: "none",
  charset: "utf8",
});
const packages = new Set(
  Object.keys(result.metafile.inputs)
    .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
    .filter(Boolean),
);
const lines = [...packages].sort().map((name) => {
  const about = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${about.version} (${about.license})`;
});
const licence = readFileSync("node_modules/@codemirror/state/LICENSE", "utf8").trim();
const notice = `/*!\n${lines.join("\n")}\n\n${licence}\n*/\n`;
writeFileSync("../static/editor.js", notice + result.outputFiles[0].text);
console.log(`${result.outputFiles[0].text.length} bytes, ${packages.size} packages`);
