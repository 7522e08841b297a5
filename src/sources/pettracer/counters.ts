/** What an account counts, and what its connection can end with. */
import { FatalError, RecoverableError } from "../../lib/errors.ts";
import { type Cell, createMetrics, type Metrics } from "../../lib/metrics.ts";
import { accountPosition } from "../../model/account.ts";
import { COUNTERS, type CounterTable } from "../../model/counters.ts";
import type { EndCause } from "./socket.ts";
import { StreamEnded, TokenRefused } from "./stream.ts";

/** Besides the ends of a stream: login or token were refused, or the program has a defect. */
type Cause = EndCause | "refused" | "defect";
const CAUSES: readonly Cause[] = ["silence", "closed", "error", "timeout", "network", "http", "refused", "defect"];

export interface AccountCounters {
  readonly frames: Cell;
  readonly lastFrame: Cell;
  readonly undecodable: Cell;
  /** The connection ended, or could not be opened. */
  reconnecting(cause: Cause): void;
}

/** All of them from the start, at 0, so that the first one shows as a growth. */
export function createCounters(
  name: string,
  metrics: Metrics<CounterTable> = createMetrics(COUNTERS),
): AccountCounters {
  const account = String(accountPosition(name));
  const reconnects = (cause: Cause): Cell => metrics.cell("pawline_reconnects_total", { account, cause });
  CAUSES.forEach(reconnects);
  return {
    frames: metrics.cell("pawline_frames_total", { account }),
    lastFrame: metrics.cell("pawline_last_frame_age_seconds", { account }),
    undecodable: metrics.cell("pawline_undecodable_frames_total", { account }),
    reconnecting: (cause) => {
      reconnects(cause).value += 1;
    },
  };
}

/** What ended a run. A request that failed before there was a stream counts like a stream that HTTP refused. */
export function causeOf(error: unknown): Cause {
  if (error instanceof FatalError || error instanceof TokenRefused) return "refused";
  if (error instanceof StreamEnded) return error.because;
  return error instanceof RecoverableError ? "http" : "defect";
}
