/** As much of the package's own documentation as the tests use; it comes without types. */
declare module "sockjs" {
  import type { EventEmitter } from "node:events";
  import type { Server as HttpServer } from "node:http";

  interface Connection extends EventEmitter {
    /** Path and query of the client's request. */
    readonly url: string;
    readonly protocol: string;
    write(message: string): boolean;
    close(code?: number, reason?: string): boolean;
    on(event: "data", listener: (message: string) => void): this;
    on(event: "close", listener: () => void): this;
  }

  interface Server extends EventEmitter {
    installHandlers(server: HttpServer, options?: { readonly prefix: string }): void;
    on(event: "connection", listener: (connection: Connection) => void): this;
  }

  interface Options {
    readonly log?: (severity: string, line: string) => void;
    /** Milliseconds between two of its heart-beats. */
    readonly heartbeat_delay?: number;
  }

  const sockjs: { createServer(options?: Options): Server };
  export default sockjs;
  export type { Connection };
}
