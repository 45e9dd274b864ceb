// A server between browser and static server that breaks what a test asks it to break.
//
// The page is opened through it, so its own origin, headers and ranges are those of the real server.
import http from "node:http";

/**
 * Starts a proxy to `target` (an origin). `rule(request)` says what to do with a request: nothing (pass on),
 * `{ status }` (answer that), `{ cutAt }` (break the connection at that offset of the file), `{ stallAt }`
 * (send nothing after it), `{ flipAt }` (change the byte there), `{ endAt }` (claim the file ends there).
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

async function forward(source, response, fault, start) {
  const headers = { ...source.headers };
  if (fault.endAt !== undefined) {
    headers["content-length"] = String(fault.endAt);
  }
  response.writeHead(source.statusCode, headers);
  let position = start;
  for await (const chunk of source) {
    const end = Math.min(fault.cutAt ?? Infinity, fault.stallAt ?? Infinity, fault.endAt ?? Infinity);
    if (fault.flipAt >= position && fault.flipAt < position + chunk.length) {
      chunk[fault.flipAt - position] ^= 1;
    }
    const piece = chunk.subarray(0, Math.max(0, end - position));
    position += piece.length;
    // Without waiting for the reader a whole model would pile up here.
    if (piece.length > 0 && !response.write(piece)) {
      await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
    }
    if (position >= end || response.destroyed) {
      break;
    }
  }
  if (fault.stallAt !== undefined) {
    return;
  }
  if (fault.cutAt === undefined) {
    response.end();
  } else {
    // What was written must leave before the connection breaks.
    setTimeout(() => response.destroy(), 200);
  }
}
