/** Where a Home Assistant is reached, and with which token: directly, or through the Supervisor's proxy. */
import type { SupervisorAccess } from "../../lib/supervisor.ts";
import { readPem, type TlsOptions } from "../../lib/tls.ts";
import type { HomeAssistantOptions } from "./options.ts";

export interface Endpoint {
  /** For sentences: host and port. */
  readonly name: string;
  readonly socketUrl: string;
  /** Without a slash at its end. */
  readonly restUrl: string;
  readonly token: string;
  readonly tls: TlsOptions;
}

/**
 * @param supervisor where the program runs as an app: its own token leads through the Supervisor's proxy
 * @throws RecoverableError where the certificate authority's file cannot be read
 */
export async function endpointOf(
  { url, token, ca, reject_unauthorized }: HomeAssistantOptions,
  supervisor?: SupervisorAccess,
): Promise<Endpoint> {
  if (supervisor !== undefined && token === supervisor.token) return endpointThrough(supervisor);
  return {
    name: new URL(url).host,
    // The web page may stand behind a path; its API is below that.
    socketUrl: `${url.replace(/^http/, "ws")}/api/websocket`,
    restUrl: `${url}/api`,
    token,
    tls: {
      rejectUnauthorized: reject_unauthorized,
      ...(ca !== undefined && { ca: readPem("home_assistant.ca", ca) }),
    },
  };
}

/** The Home Assistant that an app runs beside. */
function endpointThrough({ apiUrl, token }: SupervisorAccess): Endpoint {
  return {
    name: "the Supervisor",
    socketUrl: `${apiUrl.replace(/^http/, "ws")}/core/websocket`,
    restUrl: `${apiUrl}/core/api`,
    token,
    tls: {},
  };
}
