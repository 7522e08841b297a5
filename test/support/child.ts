/** A house's daemon that can be killed. */
import { expect, type TestContext } from "vitest";
import { type Cli, startCli } from "./cli.ts";
import { BRIDGE_STATE, type House } from "./house.ts";
import { temporaryFolder } from "./temp.ts";

/** The daemon as a process of its own, so that it can be killed as a power cut would. */
export class Child {
  readonly #house: House;
  readonly #start: () => Cli;
  #cli: Cli | undefined;

  constructor(house: House, { onTestFinished }: Pick<TestContext, "onTestFinished">, mqtt: object = {}) {
    const folder = temporaryFolder(onTestFinished);
    const config = {
      pettracer: house.account(),
      mqtt: { url: house.broker.url, ...mqtt },
      home: { flap_time: "0s" },
      data_dir: house.dataDir,
    };
    const file = folder.write("pawline.yaml", JSON.stringify(config));
    this.#house = house;
    this.#start = () => startCli(["run", "--config", file], { cwd: folder.path, atEnd: onTestFinished });
  }

  /** Waits for nothing. */
  launch(): void {
    this.#cli = this.#start();
  }

  async start(): Promise<void> {
    const from = this.#house.mqtt.mark;
    this.launch();
    await this.#house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from, ms: 40_000 });
    await this.#house.live();
  }

  /** At once, and dead when this returns. */
  async kill(): Promise<void> {
    this.#cli?.signal("SIGKILL");
    const result = await this.#cli?.ended(10_000);
    expect(result?.stderr).not.toMatch(/Warning|defect/);
    await this.#house.cloud.waitFor(() => this.#house.cloud.sessions.length === 0, 10_000);
  }
}
