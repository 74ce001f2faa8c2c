const fs = require("fs/promises");
const path = require("path");
const EventEmitter = require("events");

const emitter = new EventEmitter();
emitter.on("cover", (name) => fs.unlink("/tmp/covers/" + name)); // weak: path-traversal

exports.handler = async ({ pathParameters: { name }, queryStringParameters: q }) => {
  const base = path.resolve("/tmp/covers");
  const file = path.resolve(base, name);
  if (!file.startsWith(base + path.sep)) return { statusCode: 404 };
  const data = await fs.readFile(file);
  if (q.drop) emitter.emit("cover", q.drop);
  return fs
    .readFile(path.join(base, path.basename(name)))
    .then((text) => fs.readFile(path.join(base, q.size, "index"))) // weak: path-traversal
    .then((size) => ({ statusCode: 200, body: data.toString("base64") + size.length }));
};
