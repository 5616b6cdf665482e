// Echo on `ws` for Node, as its README writes it.   node node_ws_echo.js PORT
// Debian keeps its modules where a node of another origin does not look.
module.paths.push('/usr/share/nodejs', '/usr/lib/nodejs');
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]) });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
