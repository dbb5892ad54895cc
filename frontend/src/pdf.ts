/** PDF.js as we set it up: its own chunk, loaded with the first PDF. What it needs besides lies in `build/pdf/`. */
import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy, TextLayer } from "pdfjs-dist";

const beside = (name: string): string => new URL(`../pdf/${name}`, import.meta.url).href;

GlobalWorkerOptions.workerSrc = beside("pdf.worker.js");

/** Open the PDF at `url`. Nothing in it runs: forms of the XFA kind and scripts are off, links are not followed.
 * Only the parts that are looked at are fetched. */
export function openPdf(url: string): Promise<PDFDocumentProxy> {
  return getDocument({
    url, cMapUrl: beside("cmaps/"), standardFontDataUrl: beside("standard_fonts/"), wasmUrl: beside("wasm/"), enableXfa: false, disableAutoFetch: true, disableStream: true,
  }).promise;
}

/** Draw the page `number` into `place` so that it is `width` CSS pixels wide, with its text over it to be selected and
 * read aloud. */
export async function drawPage(document_: PDFDocumentProxy, number: number, place: HTMLElement, width: number): Promise<void> {
  const page = await document_.getPage(number);
  const scale = width / page.getViewport({ scale: 1 }).width;
  const viewport = page.getViewport({ scale });
  const dots = Math.min(devicePixelRatio, 2);
  const canvas = document.createElement("canvas");
  canvas.width = Math.floor(viewport.width * dots);
  canvas.height = Math.floor(viewport.height * dots);
  const text = document.createElement("div");
  text.className = "textLayer";
  text.style.setProperty("--total-scale-factor", String(scale));
  place.style.height = `${String(viewport.height)}px`;
  await page.render({ canvas, viewport, transform: [dots, 0, 0, dots, 0, 0] }).promise;
  await new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport }).render();
  place.replaceChildren(canvas, text);
}

export type { PDFDocumentProxy };
