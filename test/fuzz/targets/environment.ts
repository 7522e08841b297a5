/** Variables of the environment, a line each. */
import { ensure, type Target, type Trial } from "../target.ts";
import { isLoaded } from "./config.ts";

const GOOD = "PAWLINE_PETTRACER_USERNAME=a\nPAWLINE_PETTRACER_PASSWORD=b\nPAWLINE_MQTT_URL=mqtt://localhost";

export const environment: Target = {
  name: "environment",
  dictionary: [
    "\n",
    "=",
    "_FILE=",
    "PAWLINE_",
    "PAWLINE_MQTT_",
    "PAWLINE_PETTRACER_INCLUDE=",
    "PAWLINE_LIVE_PORT=",
    "/dev/zero",
    "SUPERVISOR_TOKEN=x",
    "SUPERVISOR_API=",
    "PAWLINE_LOG_LEVEL=",
    "PAWLINE_DATA_DIR=",
    "/etc",
    "1e400",
    "15m",
    ",",
  ],
  runs: 150,
  open: () => Promise.resolve(open()),
};

function open(): Trial {
  const load = (text: string): boolean => {
    const pairs = text.split("\n").map((line) => [line.split("=", 1)[0] ?? "", line.replace(/^[^=]*=?/, "")] as const);
    // A file of the tester's own is none of ours.
    const { PAWLINE_CONFIG: _, ...variables } = Object.fromEntries(pairs);
    return isLoaded({ file: "/dev/null", environment: variables, flags: {} });
  };
  return {
    try: (input) => void load(input.toString("utf8")),
    close() {
      ensure(load(GOOD), "good variables are not read any more");
      return Promise.resolve();
    },
  };
}
