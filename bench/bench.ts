// SPDX-License-Identifier: Apache-2.0
/**
 * `make bench`: Evener beside other proxies, in one session, alternating round by round. `--quick` for a look; `--only ID` for one
 * scenario; `--write` puts the tables into docs/performance.md. Results: dist/bench/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeFigures } from "./lib/docs.ts";
import { describeMachine, versionOf } from "./lib/machine.ts";
import { tellProgress } from "./lib/progress.ts";
import { type Result, type Row, toMarkdown, toSvg } from "./lib/report.ts";
import { hasProgram, Session, waitForPort } from "./lib/session.ts";
import { startAll, startPod, writePems } from "./peers/common.ts";
import { evenerHttp, evenerSeparate, evenerTcp, hitchAlone, hitchWithUpstream } from "./peers/evener.ts";
import { caddy, haproxyHttp, haproxyTcp, nginxHttp, nginxStream } from "./peers/others.ts";
import type { Peer, Running } from "./peers/peer.ts";
import { describeEndpointChanges } from "./scenarios/endpoint-change.ts";
import { sampleIdle, sampleIdlePlain } from "./scenarios/idle.ts";
import { describeModel, measureModel } from "./scenarios/model.ts";
import { reloadStorm, sampleCertificates } from "./scenarios/reloads.ts";
import type { Sample, Scenario, Size } from "./scenarios/scenario.ts";
import { POD, TRAFFIC } from "./scenarios/traffic.ts";

const FULL: Size = {
  rounds: 7,
  seconds: 2,
  connections: 1000,
  idle: 5000,
  certificates: 5000,
  ingresses: [100, 1000, 10_000],
  sites: 200,
  changes: 100,
};
const QUICK: Size = {
  rounds: 2,
  seconds: 1,
  connections: 400,
  idle: 1000,
  certificates: 500,
  ingresses: [100, 1000],
  sites: 50,
  changes: 10,
};
const OUT = resolve("dist/bench");

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const size = options.quick ? QUICK : FULL;
const isWanted = (id: string) => id.startsWith(options.only);
/** Without peers. */
const tables: readonly (readonly [id: string, describe: () => string | Promise<string>])[] = [
  ["endpoint-change", () => describeEndpointChanges(size.sites, size.changes)],
  ["model", () => describeModel(measureModel(size.ingresses, Math.min(size.rounds, 5)))],
];
const print = (text: string) => process.stdout.write(`${text}\n`);

function listPeers(): readonly Peer[] {
  const always = [evenerHttp, haproxyHttp, nginxHttp, evenerTcp, haproxyTcp, nginxStream];
  if (options.quick) return always;
  return [
    ...always,
    evenerSeparate,
    hitchAlone,
    ...(process.env.BALANCE_UPSTREAM === undefined ? [] : [hitchWithUpstream]),
    ...(hasProgram("caddy") ? [caddy] : []),
  ];
}

async function runScenario(scenario: Scenario, running: ReadonlyMap<Peer, Running>): Promise<Result> {
  const samples = new Map<Peer, Sample[]>();
  const rounds = scenario.rounds(size);
  for (let round = 0; round < rounds; round++) {
    tellProgress(`${scenario.id}: round ${round + 1} of ${rounds}`);
    for (const [peer, one] of running) {
      if (!scenario.isFor(peer)) continue;
      try {
        const sample = await scenario.sample(one, size);
        samples.set(peer, [...(samples.get(peer) ?? []), sample]);
      } catch (cause) {
        throw new Error(`${peer.name}, ${scenario.id}: ${cause}`, { cause });
      }
    }
  }
  const rows = [...samples].map(
    ([{ name, ours, mode }, list]): Row => ({ peer: name, ours, mode, samples: list }),
  );
  return { id: scenario.id, title: scenario.title, columns: scenario.columns, rows };
}

/** Peers one after the other, each in a session of its own: memory and the time to start are among the figures. */
async function runApart(
  id: string,
  peers: readonly Peer[],
  certificates: number,
  sample: (running: Running, startMs: number, names: readonly string[]) => Promise<Sample>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const peer of peers) {
    tellProgress(`${id}: ${peer.name}`);
    const session = new Session();
    try {
      await startPod(session);
      const { pems, names } = await writePems(session, certificates);
      const begin = performance.now();
      const running = await peer.start({ session, bin: resolve("dist/bin"), pod: POD, pems, names });
      await waitForPort(running.port);
      const samples = [await sample(running, performance.now() - begin, names)];
      rows.push({ peer: peer.name, ours: peer.ours, mode: peer.mode, samples });
    } finally {
      await session.end();
    }
  }
  return rows;
}

async function runIdle(): Promise<Result> {
  return {
    id: "idle",
    title: `Memory per idle TLS connection, ${size.idle} connections`,
    columns: [{ key: "kb", label: "KB per connection (PSS)", digits: 1 }],
    rows: await runApart("idle", listPeers(), 1, (running) => sampleIdle(running, size.idle)),
  };
}

/** Balance alone beside others that relay. */
async function runIdlePlain(): Promise<Result> {
  const peers = listPeers().filter(({ mode, name }) => mode === "tcp" && name !== "Hitch alone");
  return {
    id: "idle-plain",
    title: `Memory per relayed connection without TLS, ${size.idle} connections at rest`,
    columns: [{ key: "bytes", label: "bytes per connection (PSS)", digits: 0 }],
    rows: await runApart("idle-plain", peers, 1, (running) => sampleIdlePlain(running, size.idle)),
  };
}

async function runCertificates(): Promise<Result> {
  return {
    id: "certificates",
    title: `${size.certificates} certificates, and a reload under load`,
    columns: [
      { key: "ratio", label: "p99 to undisturbed", digits: 2 },
      { key: "calm", label: "p99 undisturbed, ms", digits: 1 },
      { key: "reload", label: "p99 with the reload, ms", digits: 1 },
      { key: "failed", label: "failed requests", digits: 0 },
      { key: "start", label: "start, ms", digits: 0 },
      { key: "first", label: "first handshake, ms", digits: 1 },
      { key: "memory", label: "MB (PSS)", digits: 0 },
      { key: "us", label: "CPU µs per request, reload included", digits: 1 },
    ],
    rows: await runApart(
      "certificates",
      [evenerHttp, haproxyHttp, nginxHttp],
      size.certificates,
      (running, startMs, names) => sampleCertificates(running, startMs, names.at(-1) ?? "", size),
    ),
  };
}

function listVersions(): readonly string[] {
  const caddyVersion = hasProgram("caddy") ? [`caddy ${versionOf("caddy version")}`] : [];
  return [versionOf("haproxy -v"), versionOf("nginx -v"), ...caddyVersion];
}

async function main(): Promise<void> {
  const results: Result[] = [];
  const texts: string[] = [
    `Measured by \`make bench${options.quick ? "-quick" : ""}\`: ${describeMachine(listVersions(), size.rounds)}.\n`,
  ];
  const keep = (result: Result) => {
    results.push(result);
    texts.push(toMarkdown(result));
    print(toMarkdown(result));
  };
  const traffic = [...TRAFFIC, reloadStorm].filter(({ id }) => isWanted(id));
  if (traffic.length > 0) {
    const session = new Session();
    try {
      await startPod(session);
      const { pems, names } = await writePems(session, 1);
      const running = await startAll(listPeers(), {
        session,
        bin: resolve("dist/bin"),
        pod: POD,
        pems,
        names,
      });
      session.failIfEnded();
      for (const scenario of traffic) {
        const some = new Map(
          [...running].filter(
            ([peer, one]) => scenario !== reloadStorm || (one.reload !== undefined && peer.mode === "http"),
          ),
        );
        keep(await runScenario(scenario, some));
      }
    } finally {
      await session.end();
    }
  }
  if (isWanted("idle")) keep(await runIdle());
  if (isWanted("idle-plain")) keep(await runIdlePlain());
  if (isWanted("certificates")) keep(await runCertificates());
  for (const [id, describe] of tables) {
    if (!isWanted(id)) continue;
    tellProgress(id);
    texts.push(await describe());
    print(texts.at(-1) ?? "");
  }
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(OUT, "results.md"), texts.join("\n"));
  for (const result of results) writeFileSync(join(OUT, `${result.id}.svg`), toSvg(result));
  tellProgress("end");
  print(`written to dist/bench/: results.md, results.json and ${results.length} charts`);
  if (options.write) {
    writeFigures("docs/performance.md", "make bench BENCH_FLAGS=--write", texts.join("\n"));
    mkdirSync("docs/charts", { recursive: true });
    for (const result of results) writeFileSync(`docs/charts/${result.id}.svg`, toSvg(result));
  }
}

await main();
