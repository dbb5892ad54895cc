/** Inside a sandboxed frame: tell the page how tall the content is. `nonce` says whose frame this is. */
export function tellHeight(nonce: string): void {
  const tell = (): void => {
    parent.postMessage({ madang: nonce, height: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
  };
  new ResizeObserver(tell).observe(document.documentElement);
  addEventListener("load", tell);
}
