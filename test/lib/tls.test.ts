import { expect, test } from "vitest";
import { certificateTrouble } from "../../src/lib/tls.ts";

const failing = (code: string): Error => Object.assign(new Error("from the library"), { code });

test.each([
  ["CERT_HAS_EXPIRED", /has expired: is this computer's clock right\?/],
  ["CERT_NOT_YET_VALID", /is not valid yet: is this computer's clock right\?/],
  ["SELF_SIGNED_CERT_IN_CHAIN", /signed by nobody .*: set the variable NODE_EXTRA_CA_CERTS to the file/],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", /signed by nobody/],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /signed by nobody/],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /signed by nobody/],
  ["ERR_TLS_CERT_ALTNAME_INVALID", /is for another name than the configuration has/],
])("%s is told with its remedy", (code, sentence) => expect(certificateTrouble(failing(code))).toMatch(sentence));

test("the remedy names what the user can set", () => {
  const names = { authority: "home_assistant.ca", url: "home_assistant.url" };
  expect(certificateTrouble(failing("SELF_SIGNED_CERT_IN_CHAIN"), names)).toContain(
    "set home_assistant.ca to the file",
  );
  expect(certificateTrouble(failing("ERR_TLS_CERT_ALTNAME_INVALID"), names)).toContain("than home_assistant.url has");
});

test.each([failing("ECONNREFUSED"), new Error("other"), "a text", undefined])("%s is no certificate's", (error) =>
  expect(certificateTrouble(error)).toBeUndefined(),
);
