// Loaded into the unmodified emulator by `node --require`: its `Date` runs ahead of the machine's by an offset that
// only grows, every storage request leaves a line in a log, and a service can be out of order for a while. Visibility,
// leases and timestamps follow by themselves.
// Control (on a free port of 127.0.0.1): GET /clock, POST /clock {"to": iso} -> {"now": iso, "writes": n, "queues":
// {name: {"visible": n, "next": iso}}}, where writes changes with everything that may have changed what is stored, and
// a queue that holds messages says how many may be taken now, and when the next of the hidden ones may; POST /outage {"port": n, "until": iso} has that port answer 503 ServerBusy until then -> {"now": iso}.
"use strict";
const fs = require("node:fs");
const http = require("node:http");

const MachineDate = Date;
const machineNow = Date.now;
let offset = 0;

Date.now = () => machineNow() + offset;
globalThis.Date = new Proxy(MachineDate, {
  construct: (target, given, self) =>
    Reflect.construct(target, given.length ? given : [target.now()], self === globalThis.Date ? target : self),
  apply: (target) => new target(target.now()).toString(),
});
MachineDate.prototype.constructor = globalThis.Date;

function moveTo(instant) {
  const target = MachineDate.parse(instant);
  if (Number.isNaN(target)) throw new Error(`not an instant: ${instant}`);
  offset = Math.max(offset, target - machineNow());
}

function whole(request) {
  return new Promise((resolve, reject) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => resolve(Buffer.concat(pieces).toString()));
    request.on("error", reject);
  });
}

// ---- outages -----------------------------------------------------------------------------------------------------
const outages = new Map(); // port -> the instant at which it ends

function breakDown(port, until) {
  const ends = MachineDate.parse(until);
  if (!Number.isInteger(port) || Number.isNaN(ends)) throw new Error("an outage needs a port and an instant");
  outages.set(port, ends);
}

// As the services say it: an empty 503 with the code in a header [documented: common REST API error codes].
function refused(port, request, response) {
  if (!(outages.get(port) > Date.now())) return false;
  request.resume();
  response.writeHead(503, { "x-ms-error-code": "ServerBusy" });
  response.end();
  return true;
}

// ---- control -----------------------------------------------------------------------------------------------------
const control = http.createServer(async (request, response) => {
  let status = 200;
  let answer = {};
  try {
    const text = await whole(request);
    const order = request.method === "POST" ? JSON.parse(text) : null;
    if (order && request.url === "/outage") breakDown(order.port, order.until);
    else if (order) moveTo(order.to);
    answer = { now: new Date().toISOString(), writes, queues: held() };
  } catch (problem) {
    status = 400;
    answer = { error: String(problem.message) };
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(answer));
});
if (process.env.AZURITE_NOW) moveTo(process.env.AZURITE_NOW);
control.keepAliveTimeout = 600000;
control.listen(0, "127.0.0.1", () => console.log(`clock control at http://127.0.0.1:${control.address().port}`));
control.unref();

// ---- writes ------------------------------------------------------------------------------------------------------
// Each is counted when it begins and again when it is over: between the two it may or may not be visible.
let writes = 0;

function count(request, response) {
  if (request.method === "GET" || request.method === "HEAD") return;
  writes += 1;
  response.on("close", () => (writes += 1));
}

// ---- queues ------------------------------------------------------------------------------------------------------
// The emulator's own store of messages, seen when it is made: looking there costs no request.
const Loki = require(require.resolve("lokijs", { paths: [process.argv[1]] }));
const addCollection = Loki.prototype.addCollection;
let messages = null;

Loki.prototype.addCollection = function (name) {
  const collection = addCollection.apply(this, arguments);
  if (name === "$MESSAGES_COLLECTION$") messages = collection;
  return collection;
};

function held() {
  const now = Date.now();
  const found = {};
  for (const message of messages === null ? [] : messages.find()) {
    if (Number(message.expirationTime) <= now) continue;
    const queue = (found[message.queueName] ??= { visible: 0, next: null });
    const at = Number(message.timeNextVisible);
    if (at <= now) queue.visible += 1;
    else queue.next = Math.min(at, queue.next ?? at);
  }
  for (const queue of Object.values(found)) queue.next = queue.next && new Date(queue.next).toISOString();
  return found;
}

// ---- request log -------------------------------------------------------------------------------------------------
const CONDITIONS = ["if-match", "if-none-match", "x-ms-lease-id", "x-ms-lease-action"];
const KEPT = 4 * 1024 * 1024; // the largest body a table batch may have
const log = process.env.AZURITE_REQUEST_LOG ? fs.openSync(process.env.AZURITE_REQUEST_LOG, "a") : null;

function conditions(headers) {
  return Object.fromEntries(CONDITIONS.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]));
}

function operations(body) {
  const found = [];
  for (const line of body.split(/\r?\n/)) {
    const start = /^(GET|PUT|POST|PATCH|MERGE|DELETE) (\S+) HTTP\/1\.1/.exec(line);
    const header = /^(if-match|if-none-match|x-http-method): *(.*)$/i.exec(line);
    if (start) found.push({ method: start[1], path: decodeURI(new URL(start[2], "http://x").pathname) });
    else if (header && found.length) found[found.length - 1][header[1].toLowerCase()] = header[2];
  }
  return found;
}

function follow(port, request, response) {
  const at = new Date().toISOString();
  const pieces = [];
  let size = 0;
  if (/\$batch$/i.test(request.url)) {
    const emit = request.emit;
    request.emit = function (event, piece) {
      if (event === "data" && (size += piece.length) <= KEPT) pieces.push(Buffer.from(piece));
      return emit.apply(this, arguments);
    };
  }
  response.on("close", () => {
    const line = { t: at, port, method: request.method, path: request.url, status: response.statusCode };
    Object.assign(line, conditions(request.headers));
    if (pieces.length) line.operations = operations(Buffer.concat(pieces).toString());
    fs.writeSync(log, JSON.stringify(line) + "\n");
  });
}

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, request, response) {
  if (event === "request" && this !== control) {
    response.setHeader("Date", new Date().toUTCString()); // node's own header would show the machine's time
    count(request, response);
    if (log !== null) follow(this.address().port, request, response);
    if (refused(this.address().port, request, response)) return true;
  }
  return emit.apply(this, arguments);
};
