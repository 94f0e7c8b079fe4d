// A proxy that serves the server under a path of its own, which it takes off, as nginx does with `location /rt/`.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

/** `{ url, close }` of such a proxy; everything else is 404. */
export async function underPath(path, target) {
  const { hostname, port } = new URL(target);
  const inner = ({ url }) => (url.startsWith(`${path}/`) ? url.slice(path.length) : null);
  const sockets = new Set();

  const server = http.createServer((request, response) => {
    const to = inner(request);
    if (to === null) return response.writeHead(404).end();
    const asked = http.request({ hostname, port, path: to, method: request.method, headers: request.headers });
    asked.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
    asked.on("error", () => response.destroy());
    request.pipe(asked);
  });
  server.on("upgrade", (request, near) => {
    const to = inner(request);
    if (to === null) return near.destroy();
    const far = net.connect(Number(port), hostname);
    const pairs = request.rawHeaders.flatMap((name, at, all) => (at % 2 ? [] : [`${name}: ${all[at + 1]}`]));
    far.write([`GET ${to} HTTP/1.1`, ...pairs, "", ""].join("\r\n"));
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}${path}`,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
