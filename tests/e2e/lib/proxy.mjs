// A server between browser and static server that breaks what a test asks it to break.
//
// The page is opened through it, so its own origin, headers and ranges are those of the real server.
import http from "node:http";
import { Readable } from "node:stream";

/**
 * Starts a proxy to `target` (an origin). `rule(request)` says what to do with a request: nothing (pass on),
 * `{ status }` (answer that), `{ cutAt }` (break the connection at that offset of the file), `{ stallAt }`
 * (send nothing after it), `{ flipAt }` (change the byte there), `{ endAt }` (claim the file ends there),
 * `{ before }` (a text that the file then begins with), `{ without }` (headers that are left out).
 */
export async function startProxy(target, rule = () => undefined) {
  const proxy = { requests: [], rule };
  const server = http.createServer((request, response) => {
    const range = request.headers.range;
    proxy.requests.push({ url: request.url, range });
    const fault = proxy.rule(request) ?? {};
    if (fault.status) {
      response.writeHead(fault.status, { "content-type": "text/plain" });
      response.end("no");
      return;
    }
    const headers = { ...request.headers, host: new URL(target).host };
    const upstream = http.request(new URL(request.url, target), { method: request.method, headers });
    upstream.on("response", (source) => forward(source, response, fault, firstByte(range)));
    upstream.on("error", () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.url = `http://127.0.0.1:${server.address().port}`;
  proxy.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return proxy;
}

function firstByte(range) {
  return Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
}

function forward(source, response, fault, start) {
  const headers = { ...source.headers };
  for (const name of fault.without ?? []) {
    delete headers[name];
  }
  if (fault.endAt !== undefined) {
    headers["content-length"] = String(fault.endAt);
  }
  if (fault.before !== undefined) {
    // The length is that of another text now, and so would be a compressed form of it.
    delete headers["content-length"];
  }
  response.writeHead(source.statusCode, headers);
  const body = Readable.from(broken(source, fault, start));
  body.pipe(response, { end: fault.cutAt === undefined && fault.stallAt === undefined });
  // What was written leaves, then the connection ends before the length that was announced.
  body.on("end", () => fault.cutAt !== undefined && response.socket?.end());
  body.on("error", () => response.destroy());
}

/** The file's bytes from `start` on, as far and as wrong as the fault wants them. */
async function* broken(source, fault, start) {
  const end = Math.min(fault.cutAt ?? Infinity, fault.stallAt ?? Infinity, fault.endAt ?? Infinity);
  let position = start;
  if (fault.before !== undefined) {
    yield Buffer.from(fault.before);
  }
  for await (const chunk of source) {
    if (fault.flipAt >= position && fault.flipAt < position + chunk.length) {
      chunk[fault.flipAt - position] ^= 1;
    }
    const piece = chunk.subarray(0, Math.max(0, end - position));
    position += piece.length;
    yield piece;
    if (position >= end) {
      return;
    }
  }
}
