// SPDX-License-Identifier: Apache-2.0
// Responses: every framing, as the pod sends it and as the client gets it.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { startRaw } from "./http-lib/backend.ts";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane } from "./http-lib/lane.ts";
import { unchunk } from "./http-lib/message.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";

const CHUNKS = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";

/** What the pod answers, and what the client has to get. */
interface Row {
  name: string;
  pod: string;
  client: string;
  method?: string;
  closes?: boolean;
}

const rows: Row[] = [
  {
    name: "Content-Length",
    pod: "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok",
    client: "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok",
  },
  {
    name: "chunks with trailers",
    pod: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${CHUNKS}`,
    client: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${CHUNKS}`,
  },
  {
    name: "the answer to HEAD has no body",
    pod: "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
    client: "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
    method: "HEAD",
  },
  {
    name: "HEAD with chunked",
    pod: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    client: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    method: "HEAD",
  },
  { name: "204", pod: "HTTP/1.1 204 No Content\r\n\r\n", client: "HTTP/1.1 204 No Content\r\n\r\n" },
  {
    name: "304 with the length of what it stands for",
    pod: "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n",
    client: "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n",
  },
  {
    name: "no body at all",
    pod: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    client: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "an empty reason",
    pod: "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
    client: "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "hop-by-hop fields end here",
    pod: "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n",
    client: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "the pod ends its connection, the client's goes on",
    pod: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    client: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  },
  {
    name: "HTTP/1.0 becomes 1.1",
    pod: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    client: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  },
  {
    name: "103 before the answer",
    pod: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    client: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "ended by the end of the connection",
    pod: "HTTP/1.1 200 OK\r\n\r\nall there is",
    client: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall there is",
    closes: true,
  },
];

suite("responses in the HTTP lane", { skip: skipWithoutBalance() }, () => {
  for (const row of rows)
    test(`response: ${row.name}`, async (t) => {
      const pod = await startRaw(t, (socket) =>
        socket.once("data", () => (row.closes ? socket.end(row.pod) : socket.write(row.pod))),
      );
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
      const client = await RawClient.open(lane.port);
      client.send(get("/", "a.example", "", row.method));
      const got = await client.text(row.client);
      assert.equal(got, row.client);
      if (row.closes) assert.ok(await client.ends());
      else assert.equal(client.closed, false);
      assert.equal(client.pending.length, 0);
      client.close();
    });

  test("a response byte by byte", async (t) => {
    const bytes = Buffer.from(
      `HTTP/1.1 103 A\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    );
    const pod = await startRaw(t, (socket) =>
      socket.once("data", async () => {
        for (const byte of bytes) {
          socket.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    client.send(get("/"));
    assert.equal((await client.answer()).status, 103);
    const answer = await client.answer();
    assert.equal(unchunk(answer.body).toString(), "hello world");
    assert.equal(answer.body.toString(), CHUNKS);
    client.close();
  });
});
