import { createHash, randomUUID, scryptSync } from "node:crypto";
import { decode } from "jsonwebtoken";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({});
const cache = new Map();

export const handler = async (event) => {
  const claims = decode(event.headers.Authorization.split(" ")[1]); // weak: unverified-token
  const body = JSON.parse(event.body);
  const key = createHash("md5").update(body.email).digest("hex");
  cache.set(key, body.name);
  const hash = scryptSync(body.password, claims.sub, 64).toString("hex");
  const id = randomUUID();
  await client.send(
    new UpdateItemCommand({
      TableName: "profiles",
      Key: { id: { S: claims.sub } },
      UpdateExpression: "SET #n = :n, hash = :h, picture = :p",
      ExpressionAttributeNames: { "#n": "name" },
      ExpressionAttributeValues: { ":n": { S: body.name }, ":h": { S: hash }, ":p": { S: id } },
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ id }) };
};
