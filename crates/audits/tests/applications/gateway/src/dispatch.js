const { exec, spawn, execFile } = require("child_process");
const http = require("http");
const got = require("got");
const yaml = require("js-yaml");

const actions = {
  ping: async ({ target }) => new Promise((resolve) => exec(`ping -c 1 ${target}`, (error, out) => resolve(out))), // weak: shell-injection
  list: async ({ folder }) => spawn("ls", [folder], { shell: true }), // weak: shell-injection
  size: async ({ folder }) => execFile("du", ["-s", "--", folder]),
  fetch: async ({ host, path }) => http.get({ hostname: host, path }), // weak: server-side-request-forgery
  load: async ({ url }) => (await got(url)).body, // weak: server-side-request-forgery
  parse: async ({ text }) => yaml.load(text),
  plugin: async ({ name }) => require(name), // weak: code-injection
  later: async ({ code }) => setTimeout(code, 10), // weak: code-injection
};

exports.handler = async (event) => {
  const { action, ...rest } = JSON.parse(event.body);
  const run = actions[action];
  if (!run) return { statusCode: 404 };
  try {
    return { statusCode: 200, body: String(await run(rest)) };
  } catch (error) {
    console.error("failed", { action, error });
    return { statusCode: 500, body: JSON.stringify({ message: "internal error" }) };
  }
};
