// SPDX-License-Identifier: Apache-2.0
/** haproxy, nginx and caddy, as somebody who knows them would set them up for this. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mode, Peer, Setup } from "./peer.ts";

function haproxyConf(mode: Mode, port: number, { pod, pems }: Setup): string {
  // Many certificates come as a directory.
  const crt = pems.length === 1 ? pems[0] : `${pems[0]} crt ${dirname(pems[1] ?? "")}`;
  const http = `
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Request-ID %[uuid()]`;
  return `global
  nbthread 1
  maxconn 8000
defaults
  mode ${mode}
  timeout client 300s
  timeout server 300s
  timeout connect 5s
frontend tls
  bind 127.0.0.1:${port} ssl crt ${crt} ssl-min-ver TLSv1.3 alpn http/1.1${mode === "http" ? http : ""}
  default_backend pods
frontend plain
  bind 127.0.0.1:${port + 1}${mode === "http" ? http : ""}
  default_backend pods
backend pods
  ${mode === "http" ? "http-reuse safe" : ""}
  server pod 127.0.0.1:${pod}
`;
}

function haproxy(mode: Mode, port: number): Peer {
  return {
    name: `haproxy, ${mode}`,
    mode,
    ours: false,
    async start(setup) {
      const file = setup.session.write(`haproxy-${mode}.cfg`, haproxyConf(mode, port, setup));
      // With a master, so that it can be reloaded.
      const pid = setup.session.start("haproxy", ["-W", "-q", "-f", file]);
      return { port, plainPort: port + 1, pids: [pid], reload: () => process.kill(pid, "SIGUSR2") };
    },
  };
}

export const haproxyHttp = haproxy("http", 21200);
export const haproxyTcp = haproxy("tcp", 21210);

/** Key and certificate apart lie beside, so that a directory for haproxy holds nothing but pairs. */
function pemPair(pem: string): { key: string; cert: string } {
  const base = pem.replace("/many/", "/apart/").replace(/\.pem$/, "");
  return { key: `${base}.key`, cert: `${base}.crt` };
}

const NGINX = `daemon off;
worker_processes 1;
worker_rlimit_nofile 16000;
error_log /dev/null crit;
events { worker_connections 15000; }
`;

/** Where nginx keeps what it may have to write to disk; it wants them even if it never does. */
export function nginxPaths(dir: string, name: string): string {
  const root = join(dir, `nginx-${name}`);
  mkdirSync(root, { recursive: true, mode: 0o777 });
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${root}/${kind};`)
    .join("\n");
}

const nginxServer = (port: number, tls: string, name: string) => `server {
  listen 127.0.0.1:${port}${tls === "" ? "" : " ssl"}${name === "" ? " default_server" : ""};
  server_name ${name === "" ? "_" : name};
  ${tls}
  location / {
    proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Request-ID $request_id;
  }
}
`;

const nginxTls = (pem: string) =>
  `ssl_certificate ${pemPair(pem).cert}; ssl_certificate_key ${pemPair(pem).key}; ssl_protocols TLSv1.3;`;

export const nginxHttp: Peer = {
  name: "nginx, http",
  mode: "http",
  ours: false,
  async start({ session, pod, pems, names }) {
    const port = 21300;
    const servers = pems.map((pem, i) => nginxServer(port, nginxTls(pem), i === 0 ? "" : (names[i] ?? "")));
    const file = session.write(
      "nginx-http.conf",
      `${NGINX}pid ${session.dir}/nginx-http.pid;
http {
access_log off; keepalive_requests 100000000; keepalive_timeout 300s; server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
client_max_body_size 0; proxy_request_buffering off; proxy_buffering on; proxy_max_temp_file_size 0;
${nginxPaths(session.dir, "http")}
upstream pods { server 127.0.0.1:${pod}; keepalive 1024; keepalive_requests 100000000; }
${nginxServer(port + 1, "", "")}
${servers.join("")}
}
`,
    );
    const pid = session.start("nginx", ["-c", file]);
    return { port, plainPort: port + 1, pids: [pid], reload: () => process.kill(pid, "SIGHUP") };
  },
};

export const nginxStream: Peer = {
  name: "nginx, stream",
  mode: "tcp",
  ours: false,
  async start({ session, pod, pems }) {
    const port = 21310;
    const file = session.write(
      "nginx-stream.conf",
      `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
${NGINX}pid ${session.dir}/nginx-stream.pid;
stream {
server { listen 127.0.0.1:${port} ssl; ${nginxTls(pems[0] ?? "")} proxy_pass 127.0.0.1:${pod}; }
server { listen 127.0.0.1:${port + 1}; proxy_pass 127.0.0.1:${pod}; }
}
`,
    );
    return { port, plainPort: port + 1, pids: [session.start("nginx", ["-c", file])] };
  },
};

export const caddy: Peer = {
  name: "caddy",
  mode: "http",
  ours: false,
  async start({ session, pod, pems }) {
    const port = 21400;
    const { cert, key } = pemPair(pems[0] ?? "");
    const file = session.write(
      "Caddyfile",
      `{
  admin off
  auto_https off
  servers {
    protocols h1
  }
}
https://:${port} {
  bind 127.0.0.1
  tls ${cert} ${key} {
    protocols tls1.3
  }
  reverse_proxy 127.0.0.1:${pod}
}
http://:${port + 1} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${pod}
}
`,
    );
    const pid = session.start("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
      GOMAXPROCS: "1",
    });
    return { port, plainPort: port + 1, pids: [pid] };
  },
};
