// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  boundOf,
  type Measured,
  tabulateBuilds,
  tabulateJoining,
  tabulateRelays,
} from "../../bench/feasibility/tables.ts";
import { placeFigures } from "../../bench/lib/docs.ts";
import { Session, waitForPort } from "../../bench/lib/session.ts";
import { toCell, toRatio, toTable } from "../../bench/lib/table.ts";
import { cpuTime, listTree } from "../../bench/lib/usage.ts";

describe("figures in a page", () => {
  const page =
    "# A\n\n<!-- figures: make a -->\nold\n<!-- /figures -->\n\n<!-- figures: make b -->\n<!-- /figures -->\nend\n";

  it("go between the comments of their command, and replace what was there", () => {
    const once = placeFigures(page, "make a", "new\n");
    assert.equal(once, page.replace("\nold\n", "\n\nnew\n\n"));
    assert.equal(placeFigures(once, "make a", "new"), once);
    assert.match(
      placeFigures(page, "make b", "second"),
      /old\n(.*\n)+<!-- figures: make b -->\n\nsecond\n\n<!-- \/figures -->\nend/,
    );
  });

  it("need a place", () => {
    assert.throws(() => placeFigures(page, "make c", "new"), /no place for figures of make c/);
    assert.throws(() => placeFigures("<!-- figures: make a -->\n", "make a", "new"), /no place/);
  });
});

it("cells: a median with its spread, a ratio of medians, nothing where there is nothing", () => {
  assert.equal(toCell([3, 1, 2.25]), "2.3 (1.0–3.0)");
  assert.equal(toCell([]), "");
  assert.equal(toRatio([1, 2, 3], [4]), "0.50");
  assert.equal(toRatio([1], []), "");
  assert.equal(toTable(["a", "b"], [["1", "2"]]), "| a | b |\n| --- | --- |\n| 1 | 2 |");
});

const measured = (
  name: string,
  requests: readonly number[],
  balance?: { us: number; user: number },
): Measured => ({
  name,
  requests: requests.map((us) => ({ us, user: us / 4, ...(balance && { balance }) })),
  connections: requests.map((us) => ({ us: us * 10, user: us, ...(balance && { balance }) })),
});
const rowsOf = (table: string) =>
  table
    .split("\n")
    .slice(2)
    .map((line) => line.slice(2, -2).split(" | "));

describe("tables of the feasibility page", () => {
  const hitch = measured("Hitch", [10, 12, 11]);
  const over = measured("over", [20, 22, 24], { us: 8, user: 3 });

  it("add what Balance does outside the kernel, on average, to Hitch alone", () => {
    const uneven = over.requests.map((one, round) => ({ ...one, balance: { us: 8, user: 3 * round } }));
    assert.deepEqual(boundOf(hitch.requests, uneven), [13, 15, 14]);
    assert.deepEqual(boundOf(hitch.requests, hitch.requests), [], "nothing to add where there is no Balance");
  });

  it("show the bound before the ways, and each beside Hitch alone", () => {
    const whole = measured("in one process", [16.5]);
    assert.deepEqual(rowsOf(tabulateJoining(hitch, [{ name: "L", ways: [over, whole] }], "requests")), [
      ["Hitch", "11.0 (10.0–12.0)", "1.00", "", "", ""],
      ["L, bound: no hop at all", "14.0 (13.0–15.0)", "1.27", "", "", ""],
      ["over", "22.0 (20.0–24.0)", "2.00", "14.0", "8.0", "3.0"],
      ["in one process", "16.5 (16.5–16.5)", "1.50", "", "", ""],
    ]);
  });

  it("compare relays with haproxy and with a process per connection", () => {
    const [ours, haproxy, forking] = [
      measured("ours", [8]),
      measured("haproxy", [10]),
      measured("forking", [40]),
    ];
    assert.deepEqual(rowsOf(tabulateRelays([{ ...ours, kb: 0.55 }, haproxy, forking], haproxy, forking)), [
      ["ours", "80.0 (80.0–80.0)", "0.80", "0.20", "8.0 (8.0–8.0)", "0.80", "0.20", "2.0", "0.6"],
      ["haproxy", "100.0 (100.0–100.0)", "1.00", "0.25", "10.0 (10.0–10.0)", "1.00", "0.25", "2.5", ""],
      ["forking", "400.0 (400.0–400.0)", "4.00", "1.00", "40.0 (40.0–40.0)", "4.00", "1.00", "10.0", ""],
    ]);
  });

  it("compare builds with the first", () => {
    assert.deepEqual(rowsOf(tabulateBuilds([measured("a", [10]), { ...measured("b", [12]), kb: 25 }])), [
      ["a", "10.0 (10.0–10.0)", "1.00", "100 (100–100)", "1.00", ""],
      ["b", "12.0 (12.0–12.0)", "1.20", "120 (120–120)", "1.20", "25.0"],
    ]);
  });
});

describe("the relay with a process per connection", () => {
  /** Listens on a port of the kernel's choice and answers each connection, once its input has ended, with what it was sent. */
  async function startEcho(t: TestContext): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket: Socket) => socket.pipe(socket));
    server.listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    return port;
  }

  async function exchange(port: number, bytes: Buffer): Promise<Buffer> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  const relaying = async (t: TestContext, ...options: string[]) => {
    const dir = mkdtempSync(join(tmpdir(), "evener-fork-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const program = join(dir, "fork-relay");
    execFileSync("gcc", [
      "-std=c11",
      "-D_GNU_SOURCE",
      "-O2",
      "-o",
      program,
      "bench/feasibility/fork-relay.c",
    ]);
    const [echo, port] = [await startEcho(t), await freePort()];
    const relay = spawn(program, [`${port}`, `${echo}`, ...options], { stdio: "inherit" });
    t.after(async () => {
      relay.kill();
      await once(relay, "exit");
    });
    await waitForPort(port);
    const bytes = Buffer.alloc(1 << 22, "evener");
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(port, bytes)));
    for (const answer of answers) assert.ok(answer.equals(bytes));
    const pids = [relay.pid ?? 0];
    // Another connection makes it wait for the children before; the last one may not have ended yet.
    for (let i = 0; i < 100 && listTree(pids).length > 1; i++) {
      await exchange(port, Buffer.from("last"));
      await sleep(20);
    }
    assert.deepEqual(listTree(pids), pids, "no process stays behind");
    const { user, system, total } = cpuTime(pids);
    assert.ok(user + system > 0, "copying 64 MB costs something");
    assert.ok(total >= user + system, "the total is no less than its parts, which are rounded down");
  };

  it("relays both ways, passes on the end of either, and is charged with what ended children used", (t) =>
    relaying(t));
  it("does so counting bytes, too", (t) => relaying(t, "count"));
});

it("a program that ends is noticed before it is measured", async (t) => {
  const session = new Session();
  t.after(() => session.end());
  const pid = session.start("sleep", ["60"]);
  session.failIfEnded();
  await session.stop(pid);
  assert.throws(() => session.failIfEnded(), /has ended: sleep 60/);
});

it("the data plane can be linked without mimalloc, to be compared", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "evener-malloc-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const symbols = join(dir, "elf");
  const env = { ...process.env, EVENER_BIN: join(dir, "bin"), EVENER_SYMBOLS: symbols };
  const allocators = ["mimalloc", "libc"].map((EVENER_ALLOCATOR) => {
    execFileSync("vendor/link.sh", { env: { ...env, EVENER_ALLOCATOR }, stdio: "pipe" });
    const names = execFileSync("nm", ["--format=posix", symbols], { encoding: "utf8", maxBuffer: 1 << 26 });
    return [/^malloc [TW] /m.test(names), /^mi_malloc /m.test(names)];
  });
  assert.deepEqual(allocators, [
    [true, true],
    [true, false],
  ]);
});
