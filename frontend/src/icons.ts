/** Small line icons, 16 by 16, drawn here. Always beside a word or with a label. */
import { svg, type SVGTemplateResult, html, type TemplateResult } from "lit";

const SHAPES = {
  branch: svg`<path d="M5 3v10M11 3v3a3 3 0 0 1-3 3H5"/><circle cx="5" cy="2.500" r="1.200"/><circle cx="11" cy="2.500" r="1.200"/><circle cx="5" cy="13.500" r="1.200"/>`,
  minus: svg`<path d="M3 8h10"/>`,
  undo: svg`<path d="M6 3L3 6l3 3M3 6h6a4 4 0 0 1 0 8H6"/>`,
  larger: svg`<path d="M4 9l4-4 4 4"/>`,
  smaller: svg`<path d="M4 3h8v10H4zM4 8h8"/>`,
  people: svg`<circle cx="6" cy="5.500" r="2.500"/><path d="M1.500 13.500a4.500 4.500 0 0 1 9 0M10.500 3.200a2.500 2.500 0 0 1 0 4.600M12.500 9.600a4.500 4.500 0 0 1 2 3.900"/>`,
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
  word: svg`<path d="M2.500 11v2h11v-2M7.500 5.500v4M10 4v5.500"/><circle cx="5.500" cy="7.500" r="2"/><circle cx="12" cy="7.500" r="2"/>`,
  trash: svg`<path d="M3 4.500h10M6 4.500V3h4v1.500M4.500 4.500l.5 8.500h6l.5-8.500"/>`,
  back: svg`<path d="M6 5L3 8l3 3M3 8h6.500a3 3 0 0 1 0 6H8"/>`,
  table: svg`<path d="M2.500 3h11v10h-11zM2.500 6.500h11M2.500 10h11M7 3v10"/>`,
  image: svg`<path d="M2.500 3h11v10h-11zM2.500 11l3-3 2.500 2.500 2-2 3.500 3.500"/><circle cx="10.500" cy="6" r="1"/>`,
  command: svg`<path d="M3 4l3 4-3 4M8 12h5M8 8h5M8 4h5"/>`,
  down: svg`<path d="M4 6l4 4 4-4"/>`,
  up: svg`<path d="M4 10l4-4 4 4"/>`,
  search: svg`<circle cx="7" cy="7" r="4"/><path d="M10 10l3.500 3.500"/>`,
  list: svg`<path d="M3 4h10M5 8h8M5 12h6"/>`,
  playAll: svg`<path d="M3 3.500l5 4.500-5 4.500zM8.500 3.500l5 4.500-5 4.500z"/>`,
  notebook: svg`<path d="M4 2h9v12H4zM6.500 2v12M2.500 5H5M2.500 8H5M2.500 11H5"/>`,
  sun: svg`<circle cx="8" cy="8" r="5.500"/><path d="M8 2.500v11a5.500 5.500 0 0 0 0-11" fill="currentColor"/>`,
  reuse: svg`<path d="M6 5h7v8H6zM3 10V3h7"/>`,
  globe: svg`<circle cx="8" cy="8" r="5.500"/><path d="M2.500 8h11M8 2.500c-3.500 3.500-3.500 7.500 0 11c3.500-3.500 3.500-7.500 0-11"/>`,
  external: svg`<path d="M7 3H3v10h10V9M9.500 2.500h4v4M13.500 2.500L7.500 8.500"/>`,
  link: svg`<path d="M6.500 9.500l3-3M7 5l1.500-1.500a2.800 2.800 0 0 1 4 4L11 9M9 11l-1.500 1.500a2.800 2.800 0 0 1-4-4L5 7"/>`,
  lock: svg`<path d="M4 7.500h8V13H4zM5.500 7.500V5.500a2.500 2.500 0 0 1 5 0v2"/>`,
  keyboard: svg`<path d="M2 4h12v8H2zM5 7h.01M8 7h.01M11 7h.01M5.500 9.500h5"/>`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof SHAPES;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="i" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[name]}</svg>`;
}
