// Writes docs/developers/elements.md from what the public elements say of themselves at the top of their files:
//
//   node elements.mjs
//
// A test compares the page with them, and each header with what its element really has.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

const PAGE = "../docs/developers/elements.md";
const INTRODUCTION = `# The elements

What the workspace is made of can be placed by any page of the site:

\`\`\`html
<link rel="stylesheet" href="/static/build/tokens.css">
<script type="module" src="/static/build/elements.js"></script>
<madang-terminal session="…" name="main"></madang-terminal>
\`\`\`

Each takes what it needs from its attributes, tells what happens by events that bubble and leave shadow trees, and takes its looks from CSS variables, all of which tokens.css has. When it leaves the page it closes its connections and frees all it took; put in again it works again (\`tests/e2e/test_elements.py\`). \`language\` is "en" or "ko", by default that of the page. Requests go to the site itself, as the person who is signed in.

Written by \`node elements.mjs\` from the elements' own files; a test checks that it is true.
`;

/** The public elements of `root` (frontend/), as elements.ts lists them: name, file, and the file's text. */
export async function publicElements(root) {
  const list = await readFile(path.join(root, "src/elements.ts"), "utf8");
  const files = [...list.matchAll(/import "\.\/(.+)\.js"/g)].map((match) => `${match[1]}.ts`);
  return await Promise.all(files.map(async (file) => {
    const text = await readFile(path.join(root, "src", file), "utf8");
    return { name: /@customElement\("([\w-]+)"\)/.exec(text)?.[1] ?? "", file, text, header: headerOf(text) };
  }));
}

function headerOf(text) {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? "";
  return comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trim()).join("\n").trim();
}

/** The page about `elements`. */
export function pageOf(elements) {
  return INTRODUCTION + elements.map(({ name, file, header }) => {
    const [what, ...rest] = header.split(/\b(Attributes?|Property|Properties|Methods?|Events?|CSS variables)(?=:| `)/);
    const items = [];
    for (let at = 0; at < rest.length; at += 2) items.push(`- **${rest[at]}**${rest[at + 1].startsWith(":") ? "" : ":"}${rest[at + 1].replace(/\s+/g, " ").trimEnd()}`);
    return `\n## \`<${name}>\`\n\n${what.replace(/\s+/g, " ").trim()} (\`frontend/src/${file}\`)\n\n${items.join("\n")}\n`;
  }).join("");
}

if (path.basename(process.argv[1] ?? "") === "elements.mjs") {
  await writeFile(path.join(import.meta.dirname, PAGE), pageOf(await publicElements(import.meta.dirname)));
}
