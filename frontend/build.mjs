// Bundles the front end into portal/static/build/, or with --tests the unit tests into tests/.built/.
//
//   madang.js         the workspace's elements; big parts are chunks loaded when first needed
//   output-frame.js   runs inside the sandboxed frames that show HTML outputs
//   madang.css, tokens.css and the fonts they name
import { build } from "esbuild";
import { readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

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

async function buildSite() {
  await rm(fresh, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: [path.join(here, "src/madang.ts")],
    outdir: fresh,
    format: "esm",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
  });
  await build({ ...common, entryPoints: [path.join(here, "src/output-frame.ts")], outdir: fresh, format: "iife" });
  await build({
    ...common,
    entryPoints: [path.join(here, "src/tokens.css"), path.join(here, "src/madang.css")],
    outdir: fresh,
  });
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
  const first = (await stat(path.join(target, "madang.js"))).size;
  console.log(`frontend: built, madang.js ${Math.round(first / 1024)} KiB`);
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
  });
}

await (process.argv.includes("--tests") ? buildTests() : buildSite());
