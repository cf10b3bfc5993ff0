// SPDX-License-Identifier: Apache-2.0
/** A cluster's own certificate authority, by openssl. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = (args: readonly string[]) => promisify(execFile)("openssl", [...args]);
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export interface KeyFiles {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly caFile: string;
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
    this.caFile = join(dir, "ca.pem");
  }

  static async create(dir: string): Promise<Authority> {
    const authority = new Authority(dir);
    const ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
    await openssl([
      ...["req", "-x509", ...NEW_KEY, "-days", "3", "-subj", "/CN=test-ca", ...ca],
      ...["-keyout", join(dir, "ca.key"), "-out", authority.caFile],
    ]);
    await openssl(["genrsa", "-out", join(dir, "sa.key"), "2048"]);
    await openssl(["rsa", "-in", join(dir, "sa.key"), "-pubout", "-out", join(dir, "sa.pub")]);
    return authority;
  }

  /** `subject` as openssl writes it, `/O=group/CN=user`: what the API server takes for group and user. */
  async sign(name: string, subject: string, extension: string): Promise<KeyFiles> {
    const path = (suffix: string) => join(this.#dir, `${name}.${suffix}`);
    await openssl(["req", "-new", ...NEW_KEY, "-subj", subject, "-keyout", path("key"), "-out", path("csr")]);
    await writeFile(path("ext"), extension);
    await openssl([
      ...["x509", "-req", "-in", path("csr"), "-days", "3", "-extfile", path("ext"), "-out", path("pem")],
      ...["-CA", this.caFile, "-CAkey", join(this.#dir, "ca.key"), "-CAcreateserial"],
    ]);
    return { cert: path("pem"), key: path("key") };
  }
}
