/** The colours of the terminal: dark in both themes, each at least 4.5:1 on its ground (black and its like excepted). */
import type { ITheme } from "@xterm/xterm";

export function terminalTheme(style: CSSStyleDeclaration): ITheme {
  const token = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  return {
    background: token("--term-ground", "#14161A"),
    foreground: token("--term-ink", "#DDD8CE"),
    cursor: "#FF8A5C",
    cursorAccent: "#14161A",
    selectionBackground: "#FF8A5C55",
    black: "#3A3F45", red: "#F28B82", green: "#6FC39A", yellow: "#E0B050",
    blue: "#7FB4EA", magenta: "#D0A0E0", cyan: "#6EC4C9", white: "#DDD8CE",
    brightBlack: "#8D949C", brightRed: "#FFB1AA", brightGreen: "#97DDB9", brightYellow: "#F4CD7C",
    brightBlue: "#A9CFF7", brightMagenta: "#E3C2EF", brightCyan: "#9ADFE3", brightWhite: "#FFFFFF",
  };
}
