// SPDX-License-Identifier: Apache-2.0
/** `make demo`: runs examples/ on this machine, shows what Evener does, and leaves nothing behind. `--once` ends after the tour. */
import { curlLine, showEndpointChange, showHosts, showRotation } from "./demo/tour.ts";
import { World } from "./demo/world.ts";

const say = (line = "") => process.stdout.write(`${line}\n`);

const once = process.argv.includes("--once") || process.env.EVENER_DEMO_ONCE === "1";
const interrupted = new Promise<"interrupted">((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve("interrupted"));
});

const world = await World.create();
try {
  await Promise.race([runDemo(), interrupted]);
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  say("\nStopping …");
  await world.stop();
  say("Nothing is left behind.");
  process.exit();
}

async function runDemo(): Promise<void> {
  const a = await world.startBackend("echo-a", 18081);
  const b = await world.startBackend("echo-b", 18082);
  const next = await world.startBackend("echo-a (new pod)", 0);
  await world.moveEndpoint(18081, a.port);
  await world.moveEndpoint(18082, b.port);
  for (const host of ["a.example", "b.example"]) await world.writeSecret(host);

  say("Evener demo");
  say(`  backends    echo-a on 127.0.0.1:${a.port}, echo-b on 127.0.0.1:${b.port}`);
  say(`  manifests   ${world.dir}/manifests (a copy of examples/, and two generated TLS Secrets)`);
  say(`  log         ${world.logFile}`);
  await world.startEvener();
  say(`  HTTPS       https://127.0.0.1:${world.httpsPort}/   plain: http://127.0.0.1:${world.httpPort}/`);
  say(`  health      http://127.0.0.1:${world.healthPort}/readyz  /metrics  /debug/config`);

  await showHosts(world);
  await showRotation(world);
  await showEndpointChange(world, a, next);
  if (once) return;

  say("\nIt goes on running. Edit the manifests, or try:");
  for (const host of ["a.example", "b.example"]) say(`  ${curlLine(world, host)}`);
  say("Ctrl-C ends it.");
  await interrupted;
}
