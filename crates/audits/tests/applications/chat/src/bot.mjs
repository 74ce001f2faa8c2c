import axios from "axios";
import _ from "lodash";
import vm from "node:vm";
import express from "express";
import serverless from "serverless-http";
import https from "node:https";

const app = express();
app.use(express.json());
const commands = { help: () => "help", time: () => new Date().toISOString() };
const agent = new https.Agent({ rejectUnauthorized: false }); // weak: unverified-tls
const defaults = { lang: "en", limits: { length: 100 } };
let lastUser;

app.post("/command", (req, res) => {
  const run = commands[req.body.name];
  res.json({ answer: run ? run() : "unknown" });
});

app.post("/eval", (req, res) => {
  const result = vm.runInNewContext(req.body.code); // weak: code-injection
  res.json({ result });
});

app.post("/settings", (req, res) => {
  const settings = _.merge({}, defaults, req.body); // weak: prototype-pollution
  const picked = _.pick(req.body, ["lang", "limits"]);
  res.json({ settings, picked });
});

app.get("/preview", async (req, res) => {
  const page = await axios.get(req.query.url, { httpsAgent: agent }); // weak: server-side-request-forgery
  const own = await axios.get(`https://api.example.com/users/${encodeURIComponent(req.query.user)}`);
  res.json({ length: page.data.length, own: own.status });
});

app.post("/hello", (req, res) => {
  if (req.body.user) lastUser = req.body.user; // weak: shared-state
  res.send(`<p>Hello ${lastUser}</p>`); // weak: cross-site-scripting
});

app.get("/debug", (req, res) => {
  res.json({ env: process.env }); // weak: environment-exposed
});

app.get("/run", async (req, res) => {
  try {
    res.json({ ok: await commands.time() });
  } catch (error) {
    res.status(500).send(error.stack); // weak: stack-trace-in-response
  }
});

export const handler = serverless(app);
