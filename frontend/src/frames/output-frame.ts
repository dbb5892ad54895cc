/** Runs inside the sandboxed frame of an HTML output: tells the page how tall the content is, and nothing else. */
import { tellHeight } from "./height.js";

tellHeight(document.currentScript?.dataset.nonce ?? "");
