import { appendFileSync } from "node:fs";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({});

export const handler = async (reading) => {
  if (!/^[a-z0-9-]{1,40}$/.test(reading.device)) throw new Error("no device");
  appendFileSync(`/tmp/${reading.device}.log`, "x");
  appendFileSync(`/tmp/${reading.site}.log`, "x"); // weak: path-traversal
  const settings = extend({ unit: "C" }, reading.settings);
  await client.send(
    new PutItemCommand({
      TableName: process.env.READINGS,
      Item: { device: { S: reading.device }, unit: { S: settings.unit }, hook: { S: reading.hook } },
    }),
  );
};

function extend(target, source) {
  for (const key in source) {
    if (typeof source[key] === "object") {
      target[key] = extend(target[key] || {}, source[key]); // weak: prototype-pollution
    } else {
      target[key] = source[key];
    }
  }
  return target;
}
