/**
 * Node's own `node:http`, asked for by `require`: to a module that imports it, Node.js hands all that it has at once,
 * and with it the whole of `fetch`, 5 MB that nobody here needs.
 */
import { createRequire } from "node:module";

export const { createServer, get, request }: typeof import("node:http") = createRequire(import.meta.url)("node:http");
