/** Runs inside the sandboxed frame of an HTML output: tells the page how tall the content is, and nothing else. */
const nonce = document.currentScript?.dataset.nonce ?? "";

function tell(): void {
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  parent.postMessage({ madang: nonce, height }, "*");
}

new ResizeObserver(tell).observe(document.documentElement);
addEventListener("load", tell);
