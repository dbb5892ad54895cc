// Bundles the front end into portal/static/build/, or with --tests the unit tests into tests/.built/.
//
//   madang.js         the workspace's elements; big parts are chunks loaded when first needed
//   elements.js       the elements that other pages place by themselves
//   scripts.json      what parts of a page need, so that a page can ask for all of it at once
//   frames/           what runs inside the sandboxed frames of outputs: one script for each kind of them
//   pdf/              what PDF.js loads by itself: its worker, the tables of East Asian texts, fonts
//   madang.css, tokens.css and the fonts they name
import { build } from "esbuild";
import { cp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const here = import.meta.dirname;
const target = path.join(here, "../portal/static/build");
// Written beside the target and swapped in whole: a server that is running never sees half a build.
const fresh = `${target}.new`;

const common = {
  bundle: true,
  minify: true,
  target: ["es2022"],
  legalComments: "linked",
  logLevel: "warning",
  loader: { ".woff2": "file" },
  assetNames: "fonts/[name]-[hash]",
  tsconfig: path.join(here, "tsconfig.json"),
};

/** Which sources a part of the page begins with. */
const PARTS = {
  workspace: ["madang.ts"],
  text: ["madang-editor.ts", "codemirror.ts", "shared-editing.ts"],
  notebook: ["notebook/madang-notebook.ts", "notebook/server-document.ts", "notebook/cell-editor.ts", "rendering.ts"],
};

async function buildSite() {
  await rm(fresh, { recursive: true, force: true });
  const { metafile } = await build({
    ...common,
    metafile: true,
    absWorkingDir: here,
    entryPoints: [path.join(here, "src/madang.ts"), path.join(here, "src/elements.ts")],
    outdir: fresh,
    format: "esm",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
  });
  const frames = ["output-frame", "plotly-frame", "vega-frame", "widget-frame"].map((name) => path.join(here, `src/frames/${name}.ts`));
  await build({ ...common, entryPoints: frames, outdir: path.join(fresh, "frames"), format: "iife", loader: { ".css": "text" } });
  await build({
    ...common,
    entryPoints: [path.join(here, "src/tokens.css"), path.join(here, "src/madang.css")],
    outdir: fresh,
  });
  await writeFile(path.join(fresh, "scripts.json"), JSON.stringify(scriptsOf(metafile.outputs)));
  await copyPdfParts();
  await compressAll();
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
  const first = (await stat(path.join(target, "madang.js"))).size;
  console.log(`frontend: built, madang.js ${Math.round(first / 1024)} KiB`);
}

/** The scripts of each part, those that they import with them. */
function scriptsOf(outputs) {
  const made = new Map(Object.entries(outputs).map(([file, { entryPoint }]) => [entryPoint, file]));
  const found = (file, known = new Set()) => {
    if (known.has(file)) return known;
    known.add(file);
    for (const { path: next, kind } of outputs[file].imports) if (kind === "import-statement") found(next, known);
    return known;
  };
  const scripts = (sources) => {
    const known = new Set();
    for (const source of sources) {
      const file = made.get(`src/${source}`);
      if (!file) throw new Error(`${source} has no script of its own`);
      found(file, known);
    }
    return [...known].map((file) => path.relative(fresh, path.join(here, file)));
  };
  return Object.fromEntries(Object.entries(PARTS).map(([part, sources]) => [part, scripts(sources)]));
}

async function copyPdfParts() {
  const from = path.join(here, "node_modules/pdfjs-dist");
  for (const part of ["cmaps", "standard_fonts", "wasm"]) await cp(path.join(from, part), path.join(fresh, "pdf", part), { recursive: true });
  await cp(path.join(from, "build/pdf.worker.min.mjs"), path.join(fresh, "pdf/pdf.worker.js"));
}

/** What compresses lies there compressed too, for the server to send as it is. */
async function compressAll() {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  for (const name of await readdir(fresh, { recursive: true })) {
    if (!/\.(js|css)$/.test(name)) continue;
    const file = path.join(fresh, name);
    const text = await readFile(file);
    const [gz, br] = await Promise.all([promisify(gzip)(text), promisify(brotliCompress)(text, quality)]);
    await Promise.all([writeFile(`${file}.gz`, gz), writeFile(`${file}.br`, br)]);
  }
}

async function buildTests() {
  const tests = path.join(here, "tests");
  const files = (await readdir(tests)).filter((name) => name.endsWith(".test.ts"));
  await rm(path.join(tests, ".built"), { recursive: true, force: true });
  await build({
    ...common,
    minify: false,
    legalComments: "none",
    platform: "node",
    entryPoints: files.map((name) => path.join(tests, name)),
    outdir: path.join(tests, ".built"),
    outExtension: { ".js": ".mjs" },
    format: "esm",
    // what Jupyter's packages require of Node itself
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
}

await (process.argv.includes("--tests") ? buildTests() : buildSite());
