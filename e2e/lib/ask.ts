// SPDX-License-Identifier: Apache-2.0
/** One request by curl, with all that is of interest in its answer. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Echo } from "./echo-pods.ts";

export interface Question {
  readonly scheme?: "http" | "https";
  readonly path?: string;
  /** Sent as a POST of so many bytes. */
  readonly bytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's certificate. */
  readonly client?: { readonly cert: string; readonly key: string };
}

export interface Reply {
  /** 0: no HTTP answer. */
  readonly status: number;
  /** Where a redirect leads, as an absolute URL. */
  readonly location: string;
  readonly echo: Echo | undefined;
}

const MARK = "\n==curl==";

export async function ask(
  host: string,
  ports: Record<"http" | "https", number>,
  question: Question,
): Promise<Reply> {
  const { scheme = "http", path = "/", bytes, headers = {}, client } = question;
  const port = ports[scheme];
  const args = [
    ...["--silent", "--insecure", "--path-as-is", "--max-time", "10", "--http1.1"],
    ...["--resolve", `${host}:${port}:127.0.0.1`, "--write-out", `${MARK}%{http_code} %{redirect_url}`],
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ...(client === undefined ? [] : ["--cert", client.cert, "--key", client.key]),
    ...(bytes === undefined ? [] : ["--header", "Expect:", "--data-binary", "x".repeat(bytes)]),
    `${scheme}://${host}:${port}${path}`,
  ];
  const stdout = await promisify(execFile)("curl", args).then(
    (result) => result.stdout,
    (error: { stdout?: string }) => error.stdout ?? "",
  );
  const at = stdout.lastIndexOf(MARK);
  const [status = "0", location = ""] = stdout.slice(at + MARK.length).split(" ");
  return { status: Number(status), location, echo: parse(stdout.slice(0, at)) };
}

function parse(text: string): Echo | undefined {
  try {
    return JSON.parse(text) as Echo;
  } catch {
    return undefined;
  }
}
