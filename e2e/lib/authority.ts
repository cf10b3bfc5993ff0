// SPDX-License-Identifier: Apache-2.0
/** A certification authority by `openssl ca`: certificates for clients and servers, sub-CAs, revocation lists. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Issued {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

export interface IssueOptions {
  /** Lines of the extensions section. */
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly rsa?: boolean;
}

export class Authority {
  readonly dir: string;
  readonly own: Issued;
  #serial = 0;

  private constructor(dir: string, own: Issued) {
    this.dir = dir;
    this.own = own;
  }

  static async create(t: TestContext, name: string): Promise<Authority> {
    const dir = await mkdtemp(join(tmpdir(), "evener-authority-"));
    t.after(() => rm(dir, { recursive: true }));
    await prepare(dir);
    const [keyFile, certFile] = [join(dir, "ca.key"), join(dir, "ca.crt")];
    await run("openssl", [
      ...["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-keyout", keyFile, "-out", certFile, "-days", "30", "-subj", `/O=test/CN=${name}`],
      ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign"],
    ]);
    return new Authority(dir, await load(keyFile, certFile));
  }

  /** A CA that this one has signed. */
  async createSub(name: string): Promise<Authority> {
    const own = await this.issue(name, {
      extensions: ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign,cRLSign"],
    });
    const dir = join(this.dir, `sub-${name}`);
    await mkdir(dir);
    await prepare(dir);
    await writeFile(join(dir, "ca.key"), own.key);
    await writeFile(join(dir, "ca.crt"), own.cert);
    return new Authority(dir, own);
  }

  async issue(name: string, options: IssueOptions = {}): Promise<Issued> {
    const { extensions = ["basicConstraints=CA:FALSE"], days = 20, rsa = false } = options;
    const at = join(this.dir, `${this.#serial++}-${name.replace(/[^a-z0-9]/gi, "_")}`);
    const [keyFile, certFile, request] = [`${at}.key`, `${at}.crt`, `${at}.csr`];
    const kind = rsa ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    await run("openssl", [
      ...["req", "-new", "-nodes", "-newkey", ...kind, "-subj", `/O=test/CN=${name}`],
      ...["-keyout", keyFile, "-out", request],
    ]);
    await writeFile(`${at}.ext`, `${extensions.join("\n")}\n`);
    await run("openssl", [
      ...["ca", "-batch", "-config", join(this.dir, "ca.conf"), "-in", request, "-out", certFile],
      ...["-days", String(days), "-extfile", `${at}.ext`, "-notext"],
    ]);
    return load(keyFile, certFile);
  }

  async revoke(issued: Issued): Promise<void> {
    await run("openssl", ["ca", "-config", join(this.dir, "ca.conf"), "-revoke", issued.certFile]);
  }

  /** The revocation list as PEM. */
  async list(): Promise<string> {
    const file = join(this.dir, "ca.crl");
    await run("openssl", ["ca", "-config", join(this.dir, "ca.conf"), "-gencrl", "-out", file]);
    return readFile(file, "utf8");
  }
}

async function prepare(dir: string): Promise<void> {
  await mkdir(join(dir, "certs"));
  await writeFile(join(dir, "index.txt"), "");
  await writeFile(
    join(dir, "ca.conf"),
    `[ca]
default_ca = it
[it]
dir = ${dir}
database = ${dir}/index.txt
new_certs_dir = ${dir}/certs
rand_serial = yes
certificate = ${dir}/ca.crt
private_key = ${dir}/ca.key
default_md = sha256
default_days = 20
default_crl_days = 10
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
`,
  );
}

async function load(keyFile: string, certFile: string): Promise<Issued> {
  const [key, cert] = await Promise.all([readFile(keyFile, "utf8"), readFile(certFile, "utf8")]);
  return { keyFile, certFile, key, cert };
}
