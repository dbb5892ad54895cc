/** The languages that images offer programs in, each loaded when a file or a cell of it is opened. */
import { LanguageDescription, LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language";

/** The name is the editor's mode in image.toml, or an alias is. */
export const COMPILED_AND_SCRIPTED: readonly LanguageDescription[] = [
  LanguageDescription.of({ name: "C", extensions: ["c", "h"], load: async () => (await import("@codemirror/lang-cpp")).cpp() }),
  LanguageDescription.of({ name: "C++", alias: ["cpp"], extensions: ["cpp", "cc", "cxx", "hpp", "hh"], load: async () => (await import("@codemirror/lang-cpp")).cpp() }),
  LanguageDescription.of({ name: "Go", extensions: ["go"], load: async () => (await import("@codemirror/lang-go")).go() }),
  LanguageDescription.of({ name: "Java", extensions: ["java"], load: async () => (await import("@codemirror/lang-java")).java() }),
  LanguageDescription.of({ name: "PHP", extensions: ["php"], load: async () => (await import("@codemirror/lang-php")).php() }),
  LanguageDescription.of({ name: "Rust", extensions: ["rs"], load: async () => (await import("@codemirror/lang-rust")).rust() }),
  LanguageDescription.of({ name: "SQL", extensions: ["sql"], load: async () => { const { sql, SQLite } = await import("@codemirror/lang-sql"); return sql({ dialect: SQLite }); } }),
  LanguageDescription.of({ name: "Shell", alias: ["bash", "sh"], extensions: ["sh", "bash"], filename: /^\.(bashrc|profile)$/, load: async () => streamed((await import("@codemirror/legacy-modes/mode/shell")).shell) }),
  LanguageDescription.of({ name: "Haskell", extensions: ["hs"], load: async () => streamed((await import("@codemirror/legacy-modes/mode/haskell")).haskell) }),
  LanguageDescription.of({ name: "Julia", extensions: ["jl"], load: async () => streamed((await import("@codemirror/legacy-modes/mode/julia")).julia) }),
  LanguageDescription.of({ name: "Lua", extensions: ["lua"], load: async () => streamed((await import("@codemirror/legacy-modes/mode/lua")).lua) }),
  LanguageDescription.of({ name: "Octave", extensions: ["m"], load: async () => streamed((await import("@codemirror/legacy-modes/mode/octave")).octave) }),
  LanguageDescription.of({ name: "Perl", extensions: ["pl", "pm"], load: async () => streamed((await import("@codemirror/legacy-modes/mode/perl")).perl) }),
  LanguageDescription.of({ name: "R", extensions: ["r", "R"], load: async () => streamed((await import("@codemirror/legacy-modes/mode/r")).r) }),
];

function streamed(mode: StreamParser<unknown>): LanguageSupport {
  return new LanguageSupport(StreamLanguage.define(mode));
}
