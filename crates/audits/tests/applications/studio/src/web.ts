import Fastify, { FastifyInstance, FastifyRequest } from "fastify";
import awsLambdaFastify from "@fastify/aws-lambda";
import { S3Client, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ProjectStore } from "./lib/store";
import { exec } from "node:child_process";

const app: FastifyInstance = Fastify();
const store = new ProjectStore(process.env.PROJECTS as string);
const s3 = new S3Client({});

interface Named { name: string }

app.get<{ Params: { id: string } }>("/projects/:id", async (request) => store.find(request.params.id));

app.post("/render", async (request: FastifyRequest<{ Body: Named }>, reply) => {
  const { name } = request.body;
  exec(`render --project ${name}`); // weak: shell-injection
  exec("render --version");
  reply.send({ ok: true });
});

app.post("/upload", async (request: FastifyRequest<{ Body: Named }>) => {
  const command = new PutObjectCommand({ Bucket: process.env.ASSETS, Key: `uploads/${crypto.randomUUID()}/${request.body.name}` });
  return { url: await getSignedUrl(s3, command, { expiresIn: 60 }) };
});

app.get("/login", async (request: FastifyRequest<{ Querystring: { next: string } }>, reply) => {
  reply.redirect(request.query.next); // weak: open-redirect
});

const proxy = awsLambdaFastify(app);
export const handler = proxy;
