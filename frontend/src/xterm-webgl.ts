/** Drawing terminals with the GPU: a chunk of its own, loaded where there is one. */
export { WebglAddon } from "@xterm/addon-webgl";
