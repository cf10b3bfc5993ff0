// SPDX-License-Identifier: Apache-2.0
/** Hitch by itself, reloaded again and again while clients connect anew all the time: at every moment somebody listens. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../test/fixtures/eventually.ts";
import { makeCertificates } from "../test/helpers/certificates.ts";
import { startBackend } from "./lib/backend.ts";
import { findFreePorts } from "./lib/ports.ts";

const RELOADS = 40;
const CLIENTS = 4;
/** A worker opens one after the other, so there is a time when it has not come to the last yet. */
const FRONTENDS = 100;
const isRoot = process.getuid?.() === 0;

async function startHitch(t: TestContext, ports: readonly number[], backend: number) {
  const dir = await mkdtemp(join(tmpdir(), "evener-hitch-reload-"));
  await chmod(dir, 0o755);
  const made = (await makeCertificates({ only: { names: ["a.example"] } })).get("only");
  await writeFile(join(dir, "a.pem"), `${made?.key}${made?.crt}`, { mode: 0o644 });
  const conf = join(dir, "hitch.conf");
  await writeFile(
    conf,
    `${ports.map((port) => `frontend = { host = "127.0.0.1" port = "${port}" }`).join("\n")}
backend = "[127.0.0.1]:${backend}"
workers = 1
backlog = 4096
daemon = off
quiet = on
${isRoot ? 'user = "nobody"' : ""}
ocsp-dir = "/dev/null/none"
pem-file = "${dir}/a.pem"
`,
  );
  const program = process.env.EVENER_TEST_HITCH ?? resolve("dist/bin/hitch");
  const hitch = spawn(program, [`--config=${conf}`], { stdio: "ignore" });
  t.after(async () => {
    const exit = once(hitch, "exit");
    hitch.kill("SIGTERM");
    await exit;
    await rm(dir, { recursive: true, force: true });
  });
  return hitch;
}

/** The error, if there is one. */
function connectOnce(port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      done(undefined);
      socket.destroy();
    });
    socket.on("error", ({ message }) => done(message));
  });
}

test("reloads refuse no new connection", { timeout: 60_000 }, async (t) => {
  const ports = await findFreePorts(FRONTENDS);
  const port = ports.at(-1) ?? 0;
  const backend = await startBackend(t, "pod");
  const hitch = await startHitch(t, ports, backend.port);
  await eventually("serving", async () => (await connectOnce(port)) === undefined);
  const refused: string[] = [];
  let tried = 0;
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const fault = await connectOnce(port);
      tried++;
      if (fault?.includes("ECONNREFUSED")) refused.push(fault);
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  for (let i = 0; i < RELOADS; i++) {
    hitch.kill("SIGHUP");
    await sleep(60);
  }
  isOver = true;
  await Promise.all(clients);
  t.diagnostic(`${tried} connections`);
  assert.ok(tried > RELOADS);
  assert.deepEqual(refused, []);
});
