/**
 * The least that a bridge can do, as a process of its own: log in, follow the streams, publish each fix. No state, no
 * checks, no second message, no recovery. What a real bridge costs beyond this is its price.
 */
import { connectAsync } from "mqtt";
import WebSocket from "ws";

export interface FloorOptions {
  readonly portalUrl: string;
  readonly streamUrl: string;
  readonly accounts: readonly Account[];
  readonly brokerUrl: string;
  readonly base: string;
}

interface Account {
  readonly login: string;
  readonly password: string;
}

interface Fix {
  readonly posLat: number;
  readonly posLong: number;
  readonly acc: number;
  readonly sat: number;
  readonly timeMeasure: string;
}

const options: FloorOptions = JSON.parse(process.argv.at(-1) ?? "{}");
const { portalUrl, streamUrl, base } = options;

const client = await connectAsync(options.brokerUrl, { reconnectPeriod: 0 });
await Promise.all(options.accounts.map(follow));

async function follow(account: Account): Promise<void> {
  const token = await login(account);
  const ids = await listCollars(token);
  const session = Math.random().toString(36).slice(2, 10).padEnd(8, "0");
  const address = `${streamUrl}/001/${session}/websocket?access_token=${token}`;
  const stream = new WebSocket(address, { perMessageDeflate: false });
  const send = (head: string, header: string, body = ""): void =>
    stream.send(JSON.stringify([`${head}\n${header}\n\n${body}\0`]));
  stream.on("message", (data) => {
    const text = Buffer.isBuffer(data) ? data.toString("utf8") : "";
    if (text === "o") send("CONNECT\naccept-version:1.1,1.0\nheart-beat:0,0", `access_token:${token}`);
    if (!text.startsWith("a")) return;
    const frames: string[] = JSON.parse(text.slice(1));
    for (const frame of frames) {
      if (frame.startsWith("MESSAGE")) publish(frame.slice(frame.indexOf("\n\n") + 2, -1));
      else if (frame.startsWith("CONNECTED")) {
        send("SUBSCRIBE\nid:sub-0", "destination:/user/queue/messages");
        const body = JSON.stringify({ deviceIds: ids });
        send("SEND\ndestination:/app/subscribe", "content-type:application/json", body);
      }
    }
  });
}

async function login(account: Account): Promise<string> {
  const response = await fetch(`${portalUrl}/user/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(account),
  });
  const { access_token }: { access_token: string } = JSON.parse(await response.text());
  return access_token;
}

async function listCollars(token: string): Promise<number[]> {
  const response = await fetch(`${portalUrl}/map/getccs`, { headers: { authorization: `Bearer ${token}` } });
  const collars: { id: number }[] = JSON.parse(await response.text());
  return collars.map(({ id }) => id);
}

function publish(body: string): void {
  const { id, lastPos }: { id: number; lastPos: Fix } = JSON.parse(body);
  const position = {
    latitude: lastPos.posLat,
    longitude: lastPos.posLong,
    gps_accuracy: lastPos.acc,
    measured_at: lastPos.timeMeasure,
    satellites: lastPos.sat,
    source: "gps",
  };
  client.publish(`${base}/pettracer_${id}/position`, JSON.stringify(position), { qos: 1, retain: true });
}
