/** Makes of "Cell In[3], line 2" in a drawn traceback a button that leads there. */

/** Colours may part the two: then the line stands at the beginning of the next text. */
const CELL = /In\s?\[(\d+)\](?:, line (\d+))?/;
const LINE = /^, line (\d+)/;

export function linkCells(host: HTMLElement, label: (count: number, line: number) => string, go: (count: number, line: number) => void): void {
  const texts: Text[] = [];
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node as Text);
  texts.forEach((text, at) => {
    const match = CELL.exec(text.data);
    const line = Number(match?.[2] ?? LINE.exec(texts[at + 1]?.data ?? "")?.[1]);
    if (!match || Number.isNaN(line)) return;
    const count = Number(match[1]);
    const place = text.splitText(match.index);
    place.splitText(match[0].length);
    const button = document.createElement("button");
    button.className = "place";
    button.setAttribute("aria-label", label(count, line));
    button.addEventListener("click", () => { go(count, line); });
    place.replaceWith(button);
    button.append(place);
  });
}
