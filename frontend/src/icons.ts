/** Small line icons, 16 by 16, drawn here. Always beside a word or with a label. */
import { svg, type SVGTemplateResult, html, type TemplateResult } from "lit";

const SHAPES = {
  plus: svg`<path d="M8 3v10M3 8h10"/>`,
  close: svg`<path d="M4 4l8 8M12 4l-8 8"/>`,
  file: svg`<path d="M4 2h5l3 3v9H4zM9 2v3h3"/>`,
  filePlus: svg`<path d="M7 14H4V2h5l3 3v2M9 2v3h3M11.500 9v5M9 11.500h5"/>`,
  folder: svg`<path d="M2 4h4l1.500 2H14v7H2z"/>`,
  folderPlus: svg`<path d="M8 13H2V4h4l1.500 2H14v1M11.500 9v5M9 11.500h5"/>`,
  upload: svg`<path d="M8 11V3M5 6l3-3 3 3M3 13h10"/>`,
  download: svg`<path d="M8 3v8M5 8l3 3 3-3M3 13h10"/>`,
  refresh: svg`<path d="M13 8a5 5 0 1 1-1.500-3.600L13 6M13 3v3h-3"/>`,
  dots: svg`<path d="M3.500 8h.01M8 8h.01M12.500 8h.01" stroke-width="2.400"/>`,
  play: svg`<path d="M5 3l8 5-8 5z"/>`,
  stop: svg`<path d="M4 4h8v8H4z"/>`,
  pause: svg`<path d="M6 3v10M10 3v10"/>`,
  restart: svg`<path d="M3 8a5 5 0 1 0 1.500-3.600L3 6M3 3v3h3"/>`,
  terminal: svg`<path d="M3 4l4 4-4 4M8 12h5"/>`,
  code: svg`<path d="M5 5L2 8l3 3M11 5l3 3-3 3"/>`,
  console: svg`<path d="M2 3h12v10H2zM5 7l1.500 1.500L5 10M8.500 10H11"/>`,
  chevron: svg`<path d="M6 4l4 4-4 4"/>`,
  down: svg`<path d="M4 6l4 4 4-4"/>`,
  sun: svg`<circle cx="8" cy="8" r="5.500"/><path d="M8 2.500v11a5.500 5.500 0 0 0 0-11" fill="currentColor"/>`,
  reuse: svg`<path d="M6 5h7v8H6zM3 10V3h7"/>`,
  keyboard: svg`<path d="M2 4h12v8H2zM5 7h.01M8 7h.01M11 7h.01M5.500 9.500h5"/>`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof SHAPES;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="i" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[name]}</svg>`;
}
