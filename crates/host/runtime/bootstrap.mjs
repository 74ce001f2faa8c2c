// A Lambda runtime client for Node.js without dependencies: takes events from the Runtime API, calls the handler, answers.
// Written for `ringfence up`. It follows what AWS documents of its own runtime: handler lookup (`dir/file.export`, nested exports,
// .mjs, .cjs, .js), async, callback and streamed handlers, the context object, and the form of errors.
import http from "node:http";
import fs from "node:fs";
import path from "node:path";
import util from "node:util";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Writable } from "node:stream";

const [apiHost, apiPort] = splitAddress(process.env.AWS_LAMBDA_RUNTIME_API ?? "");
const base = "/2018-06-01/runtime";
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
let currentId;

function splitAddress(address) {
  const colon = address.lastIndexOf(":");
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}

function call(method, suffix, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
    const request = http.request(
      {
        host: apiHost,
        port: apiPort,
        agent,
        method,
        path: base + suffix,
        headers: data === undefined ? headers : { "Content-Type": "application/json", "Content-Length": data.length, ...headers },
      },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(data);
  });
}

// ---- errors ---------------------------------------------------------------------------------------------------------

function describe(error) {
  if (error instanceof Error || util.types.isNativeError(error)) {
    return {
      errorType: error.name || "Error",
      errorMessage: String(error.message),
      trace: String(error.stack ?? "").split("\n"),
    };
  }
  return { errorType: typeof error, errorMessage: typeof error === "object" ? safeJson(error) : String(error), trace: [] };
}

function safeJson(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

class RuntimeError extends Error {
  constructor(kind, message, cause) {
    super(message);
    this.name = `Runtime.${kind}`;
    if (cause?.stack) this.stack = `${this.name}: ${message}\n${String(cause.stack).split("\n").slice(1).join("\n")}`;
  }
}

async function die(error, during) {
  const described = describe(error);
  console.error(during, JSON.stringify(described));
  try {
    const headers = { "Lambda-Runtime-Function-Error-Type": described.errorType.slice(0, 200) };
    if (currentId === undefined) await call("POST", "/init/error", JSON.stringify(described), headers);
    else await call("POST", `/invocation/${currentId}/error`, JSON.stringify(described), headers);
  } catch {
    // The Runtime API has gone, and so do we.
  }
  process.exit(129);
}

process.on("uncaughtException", (error) => void die(error, "Uncaught Exception"));
process.on("unhandledRejection", (reason) => {
  const error = new RuntimeError("UnhandledPromiseRejection", reason instanceof Error ? `${reason.name}: ${reason.message}` : safeJson(reason), reason);
  void die(error, "Unhandled Promise Rejection");
});

// ---- the handler ------------------------------------------------------------------------------------------------------

function locate(root, handler) {
  if (handler.includes("..")) throw new RuntimeError("MalformedHandlerName", `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const slash = handler.lastIndexOf("/");
  const dot = handler.indexOf(".", slash + 1);
  if (dot <= slash + 1) throw new RuntimeError("MalformedHandlerName", "Bad handler");
  return { file: path.resolve(root, handler.slice(0, dot)), exports: handler.slice(dot + 1).split(".") };
}

async function load(root, handler) {
  const { file, exports } = locate(root, handler);
  const candidate = ["", ".js", ".mjs", ".cjs"].map((end) => file + end).find((name) => fs.existsSync(name) && fs.statSync(name).isFile());
  const asDirectory = fs.existsSync(path.join(file, "index.js")) ? path.join(file, "index.js") : undefined;
  const found = candidate ?? asDirectory;
  if (!found) {
    const name = path.basename(file);
    throw new RuntimeError("ImportModuleError", `Error: Cannot find module '${name}'\nRequire stack:\n- ${root}`);
  }
  let module;
  try {
    module = await importAny(found);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError("UserCodeSyntaxError", `SyntaxError: ${error.message}`, error);
    if (error?.code === "ERR_MODULE_NOT_FOUND" || error?.code === "MODULE_NOT_FOUND") throw new RuntimeError("ImportModuleError", `Error: ${error.message}`, error);
    throw error;
  }
  for (const place of [module, module?.default]) {
    const target = exports.reduce((value, key) => (value == null ? undefined : value[key]), place);
    if (typeof target === "function") return target;
    if (target != null && place === module?.default) throw new RuntimeError("HandlerNotFunction", `${handler} is not a function`);
  }
  throw new RuntimeError("HandlerNotFound", `${handler} is undefined or not exported`);
}

async function importAny(file) {
  if (file.endsWith(".mjs")) return import(pathToFileURL(file).href);
  const require = createRequire(file);
  if (file.endsWith(".cjs")) return require(file);
  try {
    return require(file);
  } catch (error) {
    const isModule =
      error?.code === "ERR_REQUIRE_ESM" ||
      error?.code === "ERR_REQUIRE_ASYNC_MODULE" ||
      (error instanceof SyntaxError && /import statement|Unexpected token 'export'|import\.meta/.test(error.message));
    if (!isModule) throw error;
    return import(pathToFileURL(file).href);
  }
}

// ---- answers ----------------------------------------------------------------------------------------------------------

class ResponseStream extends Writable {
  constructor(id) {
    super({ highWaterMark: 64 * 1024 });
    this.id = id;
    this.contentType = undefined;
    this.answered = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
  }
  setContentType(type) {
    this.contentType = type;
  }
  open() {
    if (this.request) return this.request;
    this.request = http.request(
      {
        host: apiHost,
        port: apiPort,
        agent,
        method: "POST",
        path: `${base}/invocation/${this.id}/response`,
        headers: {
          "Lambda-Runtime-Function-Response-Mode": "streaming",
          "Content-Type": this.contentType ?? "application/octet-stream",
          "Transfer-Encoding": "chunked",
          Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        },
      },
      (response) => {
        response.resume();
        response.on("end", () => this.settle());
      },
    );
    this.request.on("error", (error) => this.fail(error));
    return this.request;
  }
  _write(chunk, encoding, done) {
    const data = Buffer.isBuffer(chunk) || chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk), encoding);
    this.open().write(data, done);
  }
  _final(done) {
    const request = this.open();
    if (this.broken) {
      request.addTrailers({
        "Lambda-Runtime-Function-Error-Type": this.broken.errorType,
        "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(this.broken)).toString("base64"),
      });
    }
    request.end(done);
  }
  // Ends it after what was written, and says in its trailers that this isn't all.
  breakOff(error) {
    this.broken = describe(error);
    if (!this.writableEnded) this.end();
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = options?.highWaterMark ?? true;
    return handler;
  },
  HttpResponseStream: class {
    static from(stream, prelude) {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.write(JSON.stringify(prelude ?? {}));
      stream.write(Buffer.alloc(8));
      return stream;
    }
  },
};

function stringify(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch {
    throw new RuntimeError("MarshalError", "Unable to stringify response body");
  }
}

function context(headers, finish) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"] ?? 0);
  const parse = (name) => {
    try {
      return headers[name] === undefined ? undefined : JSON.parse(headers[name]);
    } catch {
      return undefined;
    }
  };
  const value = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse("lambda-runtime-client-context"),
    identity: parse("lambda-runtime-cognito-identity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  if (finish) {
    value.succeed = (result) => finish(null, result);
    value.fail = (error) => finish(error ?? "handled");
    value.done = (error, result) => finish(error ?? null, result);
  }
  return value;
}

// What to do once nothing is left that could still happen.
let whenEmpty;
process.on("beforeExit", () => {
  const then = whenEmpty;
  whenEmpty = undefined;
  if (then) setImmediate(then);
});

// Runs a handler that answers once: by its promise, its callback, or the context. One that does none of it answers with
// nothing as soon as it has nothing left to do.
function runBuffered(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const settle = (error, result) => {
      whenEmpty = undefined;
      if (error === null || error === undefined) resolve(result);
      else reject(error);
    };
    const ctx = context(headers, settle);
    const callback = (error, result) => {
      if ((error === null || error === undefined) && ctx.callbackWaitsForEmptyEventLoop) whenEmpty = () => settle(null, result);
      else settle(error, result);
    };
    whenEmpty = () => settle(null, undefined);
    const returned = handler(event, ctx, callback);
    if (typeof returned?.then === "function") {
      returned.then(
        (result) => settle(null, result),
        (error) => settle(error ?? new Error(String(error))),
      );
    }
  });
}

async function runStreamed(handler, event, headers, id) {
  const stream = new ResponseStream(id);
  stream.on("error", () => {});
  try {
    await handler(event, stream, context(headers));
    if (!stream.writableEnded) stream.end();
  } catch (error) {
    if (!stream.request) throw error;
    console.error("Invoke Error", JSON.stringify(describe(error)));
    stream.breakOff(error);
  }
  await stream.answered;
}

// ---- the loop -----------------------------------------------------------------------------------------------------------

async function main() {
  const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  const handlerName = process.argv[2] ?? process.env._HANDLER ?? "";
  let handler;
  try {
    handler = await load(root, handlerName);
  } catch (error) {
    await die(error, "Uncaught Exception");
    return;
  }
  for (;;) {
    const next = await call("GET", "/invocation/next");
    if (next.status !== 200) throw new RuntimeError("Unknown", `the Runtime API answered ${next.status}`);
    const id = next.headers["lambda-runtime-aws-request-id"];
    currentId = id;
    if (next.headers["lambda-runtime-trace-id"]) process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
    try {
      let event;
      try {
        event = JSON.parse(next.body.toString("utf8"));
      } catch (error) {
        throw new RuntimeError("UnmarshalError", `the event is not JSON: ${error.message}`);
      }
      if (handler[STREAMING]) {
        await runStreamed(handler, event, next.headers, id);
      } else {
        const result = await runBuffered(handler, event, next.headers);
        await call("POST", `/invocation/${id}/response`, stringify(result));
      }
    } catch (error) {
      const described = describe(error);
      console.error("Invoke Error", JSON.stringify(described));
      await call("POST", `/invocation/${id}/error`, JSON.stringify(described), {
        "Lambda-Runtime-Function-Error-Type": described.errorType.replace(/[^\x20-\x7e]/g, "?").slice(0, 200),
      });
    }
  }
}

main().catch((error) => {
  console.error("runtime client:", error?.message ?? error);
  process.exit(1);
});
