/** xterm.js with the addons we use: its own chunk, loaded with the first terminal. */
export { FitAddon } from "@xterm/addon-fit";
export { ImageAddon } from "@xterm/addon-image";
export { SearchAddon } from "@xterm/addon-search";
export { Unicode11Addon } from "@xterm/addon-unicode11";
export { WebLinksAddon } from "@xterm/addon-web-links";
export { Terminal } from "@xterm/xterm";
export { default as xtermStyle } from "@xterm/xterm/css/xterm.css" with { type: "text" };
