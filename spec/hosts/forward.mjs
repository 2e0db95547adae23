// SPDX-License-Identifier: MIT
// Hands TCP connections on to a port of this computer. SIGHUP cuts all of them, and new ones too, until SIGUSR2.
//   node forward.mjs PORT   prints the port that it listens on
import net from "node:net";

const sockets = new Set();
let cut = false;
const server = net.createServer((socket) => {
  if (cut) return socket.destroy();
  const other = net.connect(Number(process.argv[2]), "127.0.0.1");
  for (const [one, two] of [[socket, other], [other, socket]]) {
    sockets.add(one);
    one.pipe(two);
    one.on("error", () => two.destroy());
    one.on("close", () => { sockets.delete(one); two.destroy(); });
  }
});
process.on("SIGHUP", () => { cut = true; sockets.forEach((socket) => socket.destroy()); });
process.on("SIGUSR2", () => { cut = false; });
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
