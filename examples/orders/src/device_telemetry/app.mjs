// Readings of the scales, thermometers and door sensors in the warehouse.
import { appendFile, mkdir } from "node:fs/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const spool = "/tmp/telemetry";

const defaults = { unit: "C", alarm: { above: 40, below: -5 } };

export async function handler(reading) {
  const settings = merge(structuredClone(defaults), reading.settings ?? {});
  const at = reading.at ?? new Date().toISOString();
  const value = await calibrate(reading);
  const alarm = value > settings.alarm.above || value < settings.alarm.below;

  // The dashboard in the warehouse tails these.
  await mkdir(spool, { recursive: true });
  const line = { at, metric: reading.metric, value, unit: settings.unit, note: reading.note };
  await appendFile(`${spool}/${reading.deviceId}.jsonl`, JSON.stringify(line) + "\n");

  await db.send(
    new PutCommand({
      TableName: process.env.READINGS_TABLE,
      Item: { device: String(reading.deviceId), ...line, value: String(value), note: reading.note ?? "", alarm },
    }),
  );
  return { device: reading.deviceId, value, alarm };
}

// Each sensor brings its own correction, for example "value * 1.8 + 32".
async function calibrate({ value, formula }) {
  if (!formula) return value;
  return await new Function("value", `return ${formula}`)(value);
}

function merge(into, from) {
  for (const key of Object.keys(from)) {
    if (typeof from[key] === "object" && from[key] !== null) {
      into[key] = merge(into[key] ?? {}, from[key]);
    } else {
      into[key] = from[key];
    }
  }
  return into;
}
