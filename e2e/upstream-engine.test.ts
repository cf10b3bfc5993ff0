// SPDX-License-Identifier: Apache-2.0
/**
 * TCP ports, served by our Balance and by a process each of another program. Inlab's own is not here (`make balance-upstream` fetches
 * it), so the other program is ours run by its arguments, which is the same command line; EVENER_UPSTREAM_BALANCE names another.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listProcesses, readArguments } from "../src/supervise/process-table.ts";
import { named, type Pod, readLine } from "../test/balance/lib/net.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { Evener } from "./lib/evener.ts";
import { type Manifest, makeEndpoints, makeService } from "./lib/manifests.ts";
import { findFreePorts } from "./lib/ports.ts";

const PROGRAM = process.env.EVENER_UPSTREAM_BALANCE ?? join(import.meta.dirname, "../dist/bin/balance");

/** A copy where the children, who are nobody when we are root, can reach it. */
async function placeProgram(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "evener-upstream-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await chmod(dir, 0o755);
  const file = join(dir, "balance");
  await cp(PROGRAM, file);
  await chmod(file, 0o755);
  return file;
}

/** What a pod says first, or "" when there is none. */
async function ask(port: number): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  try {
    return await readLine(socket);
  } catch {
    return "";
  } finally {
    socket.destroy();
  }
}

function site(name: string, pods: readonly Pod[], annotations: Record<string, string> = {}): Manifest[] {
  const service = makeService(name);
  service.metadata = { name, namespace: "default", annotations };
  return [
    service,
    ...makeEndpoints(
      name,
      pods.map(({ port }) => port),
    ),
  ];
}

/** When the test failed, whoever is left of it. */
function endGroup(pid: number): void {
  try {
    if (pid > 1) process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone, as it should.
  }
}

async function commandLines(file: string): Promise<string[][]> {
  const all = await Promise.all((await listProcesses()).map(({ pid }) => readArguments(pid)));
  return all.filter((args) => args[0] === file);
}

test("our Balance serves TCP ports, and follows their endpoints without losing a connection", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const [port = 0] = await findFreePorts(1);
  const args = ["--tcp-service", `${port}=default/db:80`];
  const evener = await Evener.start(t, { db: site("db", [a]) }, { args });
  const open = net.connect({ port, host: "127.0.0.1" });
  t.after(() => open.destroy());
  assert.equal(await readLine(open), "a");
  await evener.put("db", site("db", [b]));
  await eventually("the new endpoint answers", async () => (await ask(port)) === "b", 10_000);
  open.write("still here\n");
  assert.equal(await readLine(open), "still here");
  assert.equal(await evener.metric(`evener_connections_active{listener="tcp-${port}"}`), 1);
  open.destroy();
});

test("engine upstream: a process for each port, from the command line that is on show; restarted for another endpoint", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const [port = 0, second = 0] = await findFreePorts(2);
  const program = await placeProgram(t);
  const evener = await Evener.start(
    t,
    { db: site("db", [a], { "evener.io/maxconn-server": "9" }), other: site("other", [b]) },
    {
      args: [
        ...["--balance-engine", "upstream", "--balance-path", program],
        ...["--tcp-service", `${port}=default/db:80`, "--tcp-service", `${second}=default/other:http`],
      ],
    },
  );
  const words = (channel: string) => [
    program,
    ..."-f -b 0.0.0.0 -t 5 -T 3600".split(" "),
    String(port),
    channel,
  ];
  await eventually(
    "both answer",
    async () => (await ask(port)) === "a" && (await ask(second)) === "b",
    10_000,
  );
  const shown = await evener.readRunFile(`balance-${port}.args`);
  assert.equal(shown, `${words(`127.0.0.1:${a.port}:9`).join(" ")}\n`);
  const debug = (await evener.get("/debug/config")).text;
  assert.ok(debug.includes(`==> balance-${port}.args <==\n${shown}`), debug);
  assert.doesNotMatch(await evener.readRunFile("balance.conf"), new RegExp(String(port)));
  assert.ok((await commandLines(program)).some((args) => args.join(" ") === shown.trim()));

  // Of the two only the one whose endpoint changed is another process afterwards.
  const [before, untouched] = [evener.childPid(`balance-${port}`), evener.childPid(`balance-${second}`)];
  await evener.put("db", site("db", [b], { "evener.io/maxconn-server": "9" }));
  await eventually("the new endpoint answers", async () => (await ask(port)) === "b", 10_000);
  assert.notEqual(evener.childPid(`balance-${port}`), before);
  assert.equal(evener.childPid(`balance-${second}`), untouched);

  // A dead one is replaced.
  const victim = evener.childPid(`balance-${port}`);
  process.kill(victim, "SIGKILL");
  await eventually(
    "another one serves",
    async () => evener.childPid(`balance-${port}`) !== victim && (await ask(port)) === "b",
    10_000,
  );

  assert.equal(await evener.stop(), 0);
  assert.deepEqual(await commandLines(program), []);
  assert.deepEqual(
    readdirSync(evener.runDir).filter((name) => /\.args$|\.pid$/.test(name)),
    [],
  );
});

test("engine upstream: what its command line has no words for stays with our Balance, and a port may change hands", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const [port = 0] = await findFreePorts(1);
  const program = await placeProgram(t);
  const evener = await Evener.start(
    t,
    { db: site("db", [a, b], { "evener.io/load-balance": "least-connections" }) },
    {
      args: [
        "--balance-engine",
        "upstream",
        "--balance-path",
        program,
        "--tcp-service",
        `${port}=default/db:80`,
      ],
    },
  );
  const problem = 'evener_problems{kind="Service",reason="UpstreamCannotExpress"}';
  assert.equal(await evener.metric(problem), 1);
  assert.match(await evener.readRunFile("balance.conf"), new RegExp(`listen tcp-${port} `));
  assert.notEqual(await ask(port), "");
  assert.deepEqual(await commandLines(program), []);

  await evener.put("db", site("db", [a]));
  await eventually("the process has the port", async () => (await commandLines(program)).length > 0, 10_000);
  await eventually("it answers", async () => (await ask(port)) === "a", 10_000);
  await eventually("nothing is wrong any more", async () => (await evener.metric(problem)) === 0);

  await evener.put("db", site("db", [b], { "evener.io/slow-start": "5" }));
  await eventually("our Balance answers", async () => (await ask(port)) === "b", 10_000);
  assert.deepEqual(await commandLines(program), []);
  await eventually("it is told", async () => (await evener.metric(problem)) === 1);
});

test("engine upstream: a program that can't be run is a problem, and everything else serves", async (t) => {
  const a = await named(t, "a");
  const [port = 0] = await findFreePorts(1);
  const missing = join(tmpdir(), "no-such-balance");
  const evener = await Evener.start(
    t,
    { db: site("db", [a]) },
    {
      args: [
        "--balance-engine",
        "upstream",
        "--balance-path",
        missing,
        "--tcp-service",
        `${port}=default/db:80`,
      ],
    },
  );
  const told = await evener.waitLog("it is told", ({ msg }) => msg.includes("upstream Balance: "));
  assert.match(told.msg, new RegExp(`balance-${port}`));
  assert.equal(await evener.isReady(), true);
  assert.equal((await evener.balance.status()).draining, false);
});

test("engine upstream: what a killed controller left behind is ended by the next one", async (t) => {
  const a = await named(t, "a");
  const [port = 0] = await findFreePorts(1);
  const program = await placeProgram(t);
  const manifests = { db: site("db", [a]) };
  const args = [
    "--balance-engine",
    "upstream",
    "--balance-path",
    program,
    "--tcp-service",
    `${port}=default/db:80`,
  ];
  const first = await Evener.start(t, manifests, { args });
  await eventually("it serves", async () => (await ask(port)) === "a", 10_000);
  const orphan = first.childPid(`balance-${port}`);
  t.after(() => {
    for (const name of ["hitch", "balance", `balance-${port}`]) endGroup(first.childPid(name));
  });
  const recorded = async () => Number(await first.readRunFile(`balance-${port}.pid`)) === orphan;
  await eventually("its pid is recorded", () => recorded().catch(() => false));
  first.kill("SIGKILL");
  await first.waitExit();
  const second = await Evener.start(t, manifests, { args: [...args, "--run-dir", first.runDir] });
  await eventually("the next one serves", async () => (await ask(port)) === "a", 10_000);
  const successor = second.childPid(`balance-${port}`);
  assert.ok(successor > 0 && successor !== orphan);
  const groups = (await listProcesses()).filter(({ group, zombie }) => group === orphan && !zombie);
  assert.deepEqual(groups, []);
});
