// SPDX-License-Identifier: Apache-2.0
/** One backend and four ways to it over HTTPS, configured alike: same certificate, TLS 1.3, keep-alive both ways, one worker each. */
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";

export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly pids: readonly number[];
  /** Somebody else's proxy, to be compared with. */
  readonly peer: boolean;
}

export interface PeerOptions {
  readonly dir: string;
  readonly bin: string;
  readonly start: (command: string, args: readonly string[]) => number;
  readonly write: (path: string, text: string) => void;
}

const BACKEND = 19180;
const PORTS = { evener: 19443, haproxy: 19444, nginx: 19445 };

function makeCertificate(dir: string): void {
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  execFileSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=a.example".split(" "),
    ..."-addext subjectAltName=DNS:a.example -keyout".split(" "),
    key,
    "-out",
    cert,
  ]);
  execFileSync("sh", ["-c", `cat "${key}" "${cert}" > "${join(dir, "both.pem")}"`]);
}

const nginx = (body: string, dir: string, pid: string) =>
  `daemon off; worker_processes 1; pid ${dir}/${pid}.pid; error_log /dev/null crit; events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000;
client_body_temp_path ${dir}/t1; proxy_temp_path ${dir}/t2; fastcgi_temp_path ${dir}/t3; uwsgi_temp_path ${dir}/t4; scgi_temp_path ${dir}/t5;
${body} }
`;

const haproxy = (dir: string) => `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  option forwardfor
frontend https
  bind 127.0.0.1:${PORTS.haproxy} ssl crt ${dir}/both.pem ssl-min-ver TLSv1.3 alpn http/1.1
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Request-ID %[uuid()]
  default_backend pods
backend pods
  http-reuse safe
  server pod 127.0.0.1:${BACKEND}
`;

const nginxProxy = (
  dir: string,
) => `upstream pods { server 127.0.0.1:${BACKEND}; keepalive 128; keepalive_requests 100000000; }
server { listen 127.0.0.1:${PORTS.nginx} ssl; server_name a.example; ssl_certificate ${dir}/cert.pem; ssl_certificate_key ${dir}/key.pem; ssl_protocols TLSv1.3;
location / { proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Request-ID $request_id; } }`;

const hitch = (dir: string) => `frontend = { host = "127.0.0.1" port = "${PORTS.evener}" }
backend = "${dir}/balance.sock"
pem-file = "${dir}/both.pem"
workers = 1
daemon = off
user = "nobody"
quiet = on
write-proxy-v2 = on
proxy-tlv = on
tls-protos = TLSv1.3
alpn-protos = "http/1.1"
ocsp-dir = "/dev/null/none"
`;

const balance = (dir: string) => `workers 1
listen https unix:${dir}/balance.sock proxy=v2 table=web
pool pods 127.0.0.1:${BACKEND}
rule web a.example prefix / pods
`;

export function startPeers({ dir, bin, start, write }: PeerOptions): readonly Peer[] {
  makeCertificate(dir);
  chmodSync(dir, 0o755);
  const file = (name: string, text: string) => {
    write(join(dir, name), text);
    return join(dir, name);
  };
  const backend = `server { listen 127.0.0.1:${BACKEND} backlog=4096; location / { return 200 "hello, world\\n"; } }`;
  start("nginx", ["-c", file("backend.conf", nginx(backend, dir, "backend"))]);
  const balancePid = start(join(bin, "balance"), ["--config", file("balance.conf", balance(dir))]);
  execFileSync("sh", [
    "-c",
    `for i in 1 2 3 4 5 6 7 8 9; do [ -S "${dir}/balance.sock" ] || sleep 0.1; done; chmod 666 "${dir}/balance.sock"`,
  ]);
  const hitchPid = start(join(bin, "hitch"), [`--config=${file("hitch.conf", hitch(dir))}`]);
  const haproxyPid = start("haproxy", ["-q", "-f", file("haproxy.cfg", haproxy(dir))]);
  const nginxPid = start("nginx", ["-c", file("nginx.conf", nginx(nginxProxy(dir), dir, "proxy"))]);
  return [
    {
      name: "evener (hitch + balance)",
      url: `https://127.0.0.1:${PORTS.evener}/`,
      pids: [hitchPid, balancePid],
      peer: false,
    },
    { name: "haproxy", url: `https://127.0.0.1:${PORTS.haproxy}/`, pids: [haproxyPid], peer: true },
    { name: "nginx", url: `https://127.0.0.1:${PORTS.nginx}/`, pids: [nginxPid], peer: true },
  ];
}
