import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { rustupServerAnswers } from "../../src/toolchain/rustup.ts";

afterEach(() => vi.unstubAllEnvs());

/** A server in the place of rustup's. */
async function serve(listener: RequestListener) {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  vi.stubEnv("RUSTUP_DIST_SERVER", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test("a server that has the stable channel answers", async () => {
  await using _ = await serve((request, response) => {
    response.end(
      request.url === "/dist/channel-rust-stable.toml.sha256"
        ? `${"a".repeat(64)}  channel-rust-stable.toml\n`
        : "",
    );
  });
  expect(await rustupServerAnswers()).toBe(true);
});

test("a portal that answers everything with a page of its own is not rustup's server", async () => {
  await using _ = await serve((_request, response) => response.end("<html>please log in</html>"));
  expect(await rustupServerAnswers()).toBe(false);
});

test("a server that refuses is out of reach", async () => {
  await using _ = await serve((_request, response) => response.writeHead(403).end("a".repeat(64)));
  expect(await rustupServerAnswers()).toBe(false);
});

test("a server that accepts and never answers is given up", async () => {
  await using _ = await serve(() => undefined);
  expect(await rustupServerAnswers()).toBe(false);
});

test("an answer that begins and never ends is given up", async () => {
  await using _ = await serve((_request, response) => {
    response.writeHead(200);
    response.write("a");
  });
  expect(await rustupServerAnswers()).toBe(false);
});

test("nobody listening is out of reach", async () => {
  vi.stubEnv("RUSTUP_DIST_SERVER", "http://127.0.0.1:1");
  expect(await rustupServerAnswers()).toBe(false);
});

test("an aborted question rejects with the signal's reason", async () => {
  await using _ = await serve(() => undefined);
  const controller = new AbortController();
  const answer = rustupServerAnswers(controller.signal);
  controller.abort(new Error("never mind"));
  await expect(answer).rejects.toThrow("never mind");
});
