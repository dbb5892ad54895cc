/** CodeMirror as we set it up: its own chunk, shared by the editor and the console. */
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionSource } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, temporarilySetTabFocusMode, redo } from "@codemirror/commands";
import type { LanguageSupport} from "@codemirror/language";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, LanguageDescription, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorSelection, EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { highlightCode, tags } from "@lezer/highlight";
import { selections } from "./blinking.js";
import { COMPILED_AND_SCRIPTED } from "./languages.js";

export { acceptCompletion, autocompletion, Compartment, EditorSelection, EditorState, EditorView, keymap, placeholder, Prec, StreamLanguage };
export type { CompletionSource, Extension };

let letting = false;

/** Take a view away, and let go of it: CodeMirror keeps a range in the text that it measured last, and with it all around. */
export function destroyView(view: { destroy: () => void }): void {
  view.destroy();
  if (letting) return;
  letting = true;
  setTimeout(() => {
    letting = false;
    const other = new EditorView({ parent: document.body, doc: "x" });
    other.coordsAtPos(0);
    other.destroy();
  });
}

const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "var(--sky)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character, tags.escape], color: "var(--pine)" },
  { tag: [tags.comment, tags.meta], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--accent)" },
  { tag: [tags.definition(tags.function(tags.variableName)), tags.definition(tags.className)], fontWeight: "600" },
  { tag: [tags.standard(tags.variableName), tags.self, tags.typeName], color: "var(--sky)" },
  { tag: tags.heading, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: [tags.link, tags.url], color: "var(--sky)", textDecoration: "underline" },
  { tag: tags.invalid, color: "var(--red)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "13px", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontVariantLigatures: "none", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--accent)", padding: "10px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "none", paddingLeft: "8px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--sunken) 55%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-ground)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-ground)", outline: "1px solid var(--line)" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { fontFamily: "var(--sans)", borderRadius: "6px", backgroundImage: "none", backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--control-line)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "8px", boxShadow: "var(--shadow)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12.5px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-ground)", color: "var(--accent)" },
  ".cm-searchMatch": { backgroundColor: "var(--amber-ground)", outline: "1px solid var(--amber)" },
});

/** What every text field for code has; a shared document brings an undo of its own. */
export function basics({ undo = true } = {}): Extension[] {
  return [
    ...(undo ? [history(), keymap.of([{ key: "Mod-Shift-z", run: redo }, ...historyKeymap])] : []),
    highlightSpecialChars(), selections, indentOnInput(), indentUnit.of("    "), bracketMatching(), closeBrackets(),
    EditorState.allowMultipleSelections.of(true), syntaxHighlighting(highlight), theme,
    keymap.of([
      { key: "Escape", run: temporarilySetTabFocusMode },
      ...closeBracketsKeymap, ...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"), ...searchKeymap, ...completionKeymap,
    ]),
  ];
}

/** What a file's editor has besides. */
export function fileExtras(): Extension[] {
  return [
    lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(), autocompletion(),
    keymap.of([{ key: "Tab", run: acceptCompletion }, { key: "Tab", run: indentMore, shift: indentLess }]),
  ];
}

const LANGUAGES = [
  LanguageDescription.of({ name: "Python", extensions: ["py", "pyi"], load: async () => (await import("@codemirror/lang-python")).python() }),
  LanguageDescription.of({ name: "Markdown", extensions: ["md"], load: async () => (await import("@codemirror/lang-markdown")).markdown() }),
  LanguageDescription.of({ name: "JSON", extensions: ["json", "ipynb"], load: async () => (await import("@codemirror/lang-json")).json() }),
  LanguageDescription.of({ name: "JavaScript", alias: ["typescript"], extensions: ["js", "mjs", "cjs", "ts", "mts"], load: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true }) }),
  LanguageDescription.of({ name: "HTML", extensions: ["html", "htm"], load: async () => (await import("@codemirror/lang-html")).html() }),
  LanguageDescription.of({ name: "CSS", extensions: ["css"], load: async () => (await import("@codemirror/lang-css")).css() }),
  ...COMPILED_AND_SCRIPTED,
];

/** The language of a file by its name, or the one that is called so, as image.toml does; null for plain text. */
export async function languageFor(name: string): Promise<LanguageSupport | null> {
  const found = LanguageDescription.matchFilename(LANGUAGES, name) ?? LanguageDescription.matchLanguageName(LANGUAGES, name, false);
  return found ? found.load() : null;
}

/** Code as coloured spans, for what is only shown; `file` is a name whose language it is in. */
export async function coloured(code: string, file: string): Promise<DocumentFragment> {
  const language = await languageFor(file);
  const fragment = document.createDocumentFragment();
  if (!language) {
    fragment.append(code);
    return fragment;
  }
  const tree = language.language.parser.parse(code);
  highlightCode(
    code, tree, highlight,
    (text, classes) => {
      if (!classes) {
        fragment.append(text);
        return;
      }
      const span = document.createElement("span");
      span.className = classes;
      span.textContent = text;
      fragment.append(span);
    },
    () => {
      fragment.append("\n");
    },
  );
  return fragment;
}

/** The rules for what `coloured` made, for a shadow root. */
export function colouredStyle(): string {
  return highlight.module?.getRules() ?? "";
}
