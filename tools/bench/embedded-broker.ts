/** A process of its own around the demo's broker; says where it listens. */
import { startBroker } from "../../src/demo/broker.ts";

const { url } = await startBroker();
process.stdout.write(`${url}\n`);
