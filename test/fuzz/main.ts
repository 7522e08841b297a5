/** `npm run fuzz -- --target NAME --minutes N [--seed S]`: for as long as you like; what fails becomes a part of the corpus. */
import { parseArgs } from "node:util";
import { keepFinding, readCorpus } from "./corpus.ts";
import { mutate, seeded } from "./mutate.ts";
import { tryAll } from "./target.ts";
import { TARGETS } from "./targets/index.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "all" },
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const chosen = TARGETS.filter(({ name }) => values.target === "all" || name === values.target);
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (chosen.length === 0 || !(minutes > 0) || !Number.isInteger(seed)) {
  const names = TARGETS.map(({ name }) => name).join(", ");
  console.error(`npm run fuzz -- --target NAME --minutes N [--seed S]\nTargets: all, ${names}`);
  process.exit(2);
}

/** A trial is closed after so many inputs: then it has to show that the program still works. */
const BATCH = 200;
let failures = 0;
for (const target of chosen) {
  const random = seeded(seed);
  const corpus = readCorpus(target.name).map(({ bytes }) => bytes);
  const endAt = Date.now() + (minutes * 60_000) / chosen.length;
  let count = 0;
  while (Date.now() < endAt) {
    const batch = (function* () {
      for (let left = BATCH; left > 0 && Date.now() < endAt; left -= 1) yield mutate(corpus, target.dictionary, random);
    })();
    count += await tryAll(target, batch, (input, error) => {
      failures += 1;
      const where = input === undefined ? "at the end of a batch" : keepFinding(target.name, input);
      console.error(`${target.name}: ${where}\n${error instanceof Error ? error.stack : String(error)}`);
    });
  }
  console.log(`${target.name}: ${count} inputs, seed ${seed}`);
}
console.log(failures === 0 ? "nothing was found" : `${failures} findings`);
process.exit(failures === 0 ? 0 : 1);
