// SPDX-License-Identifier: Apache-2.0
/** The kubectl plugin, with a kubectl that writes down how it was called. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { execa } from "execa";

const PLUGIN = join(import.meta.dirname, "../../src/cli/kubectl-evener.sh");

/** Each call is a line, its arguments as JSON would have them; `pods` is what `get pods` prints. */
const FAKE = `#!/bin/sh
{ for one in "$@"; do printf '%s\\0' "$one"; done; printf '\\n\\0'; } >>"$FAKE_CALLS"
for one in "$@"; do
  case $one in
    get) printf "$FAKE_PODS"; exit "\${FAKE_GET_STATUS:-0}" ;;
    exec) echo "from the pod"; exit "\${FAKE_EXEC_STATUS:-0}" ;;
  esac
done
`;

const PODS = "edge evener-old False\\nedge evener-new True\\nother evener-x True\\n";

async function setUp(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), "evener-kubectl-"));
  t.after(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, "kubectl"), FAKE);
  await chmod(join(dir, "kubectl"), 0o755);
  const calls = join(dir, "calls");
  const usual = { PATH: `${dir}:${process.env.PATH}`, FAKE_CALLS: calls, FAKE_PODS: PODS };
  return {
    run: (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      execa("sh", [PLUGIN, ...args], { reject: false, env: { ...usual, ...env } }),
    /** util-linux's script(1) makes the terminal. */
    runInTerminal: (words: string) =>
      execa("script", ["-q", "-e", "-c", `sh '${PLUGIN}' ${words}`, "/dev/null"], {
        reject: false,
        env: usual,
      }),
    calls: async () => {
      const text = await readFile(calls, "utf8").catch(() => "");
      await rm(calls, { force: true });
      return text
        .split("\n\0")
        .filter((call) => call !== "")
        .map((call) => call.split("\0").slice(0, -1));
    },
  };
}

test("status runs in a pod that is ready, found by its labels", async (t) => {
  const { run, calls } = await setUp(t);
  const { exitCode, stdout, stderr } = await run(["status", "pools", "-o", "json"]);
  assert.deepEqual([exitCode, stdout, stderr], [0, "from the pod", ""]);
  const [get, exec] = await calls();
  assert.deepEqual(get?.slice(0, 5), [
    "get",
    "pods",
    "--all-namespaces",
    "--selector=app.kubernetes.io/name=evener",
    "--field-selector=status.phase=Running",
  ]);
  const target = ["--namespace=edge", "evener-new", "--container=evener"];
  assert.deepEqual(exec, ["exec", ...target, "--", "evener", "status", "pools", "-o", "json"]);
});

test("in a terminal the pod's program has one, too, and with it Ctrl-C", async (t) => {
  const { runInTerminal, calls } = await setUp(t);
  assert.equal((await runInTerminal("ctl follow")).exitCode, 0);
  const target = ["--namespace=edge", "evener-new", "--container=evener"];
  assert.deepEqual((await calls())[1], [
    "exec",
    "--stdin",
    "--tty",
    ...target,
    "--",
    "evener",
    "ctl",
    "follow",
  ]);
});

test("options choose the cluster, the namespace, the pods and the container; arguments stay whole", async (t) => {
  const { run, calls } = await setUp(t);
  const options = [
    "--context",
    "a b",
    "--kubeconfig=/x y",
    "-n",
    "edge",
    "-l",
    "app=e,x in (1, 2)",
    "-c",
    "main",
  ];
  const nasty = ["ctl", "pools", "a b;$(id)", "*", "", "--selector", "-n"];
  assert.equal((await run([...options, ...nasty])).exitCode, 0);
  const [get, exec] = await calls();
  const cluster = ["--context=a b", "--kubeconfig=/x y"];
  assert.deepEqual(get?.slice(0, 6), [
    ...cluster,
    "get",
    "pods",
    "--namespace=edge",
    "--selector=app=e,x in (1, 2)",
  ]);
  const target = ["--namespace=edge", "evener-new", "--container=main", "--", "evener"];
  assert.deepEqual(exec, [...cluster, "exec", ...target, ...nasty]);
});

test("a pod by name needs no list; the command's exit status is the plugin's", async (t) => {
  const { run, calls } = await setUp(t);
  const named = await run(["-n", "edge", "--pod=evener-old", "status", "--strict"], {
    FAKE_EXEC_STATUS: "1",
  });
  assert.equal(named.exitCode, 1);
  assert.deepEqual(
    (await calls()).map(([first]) => first),
    ["exec"],
  );
  assert.equal((await run(["--pod", "evener-old", "status"])).exitCode, 64);
});

test("no ready pod: one that runs; none at all, or no leave to look: 69", async (t) => {
  const { run, calls } = await setUp(t);
  await run(["status"], { FAKE_PODS: "edge evener-old False\\n" });
  assert.ok((await calls())[1]?.includes("evener-old"));
  const none = await run(["status"], { FAKE_PODS: "" });
  assert.deepEqual([none.exitCode, /no running pod/.test(none.stderr)], [69, true]);
  const denied = await run(["status"], { FAKE_GET_STATUS: "1", FAKE_PODS: "" });
  assert.deepEqual([denied.exitCode, /--namespace/.test(denied.stderr)], [69, true]);
  assert.equal(
    (await calls()).some((call) => call.includes("exec")),
    false,
  );
});

test("page forwards a port of this machine's loopback alone", async (t) => {
  const { run, calls } = await setUp(t);
  const { exitCode, stderr } = await run(["page", "9000"]);
  assert.equal(exitCode, 0);
  assert.match(stderr, /http:\/\/localhost:9000\//);
  const forward = ["port-forward", "--namespace=edge", "--address=127.0.0.1", "pod/evener-new", "9000:10354"];
  assert.deepEqual((await calls())[1], forward);
  assert.equal((await run(["page", "80;id"])).exitCode, 64);
});

test("what it does not know is a matter of usage, and never reaches the cluster", async (t) => {
  const { run, calls } = await setUp(t);
  for (const args of [[], ["run"], ["-x", "status"], ["-n"], ["exec", "sh"], ["pods", "x"]])
    assert.equal((await run(args)).exitCode, 64, args.join(" "));
  assert.equal((await run(["--help"])).exitCode, 0);
  assert.deepEqual(await calls(), []);
});
