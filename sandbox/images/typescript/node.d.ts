// What Node.js gives a program beside the language itself, where its own types (@types/node) are not installed.
declare const process: any;
declare const Buffer: any;
declare const module: any;
declare const __dirname: string;
declare const __filename: string;
declare function require(name: string): any;
declare module "node:*";
