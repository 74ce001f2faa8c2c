import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.NOTES;
const Note = z.object({ title: z.string().max(80), text: z.string(), stars: z.number().int() });

const reply = (statusCode, body) => ({ statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const read = async (event) => {
  const { id } = event.pathParameters;
  const { Item } = await db.send(new GetCommand({ TableName, Key: { id } })); // weak: missing-ownership-check
  return Item ? reply(200, Item) : reply(404, {});
};

export const readChecked = async (event) => {
  const { id } = event.pathParameters;
  const user = event.requestContext.authorizer.claims.sub;
  const { Item } = await db.send(new GetCommand({ TableName, Key: { id } }));
  if (!Item || Item.owner !== user) return reply(404, {});
  return reply(200, Item);
};

export const save = async (event) => {
  const fields = JSON.parse(event.body);
  await db.send(new PutCommand({ TableName, Item: { id: event.pathParameters.id, ...fields } })); // weak: mass-assignment
  return reply(200, {});
};

export const saveNarrow = async (event) => {
  const user = event.requestContext.authorizer.claims.sub;
  const note = Note.parse(JSON.parse(event.body));
  await db.send(
    new PutCommand({
      TableName,
      Item: { id: randomUUID(), owner: user, title: note.title, text: note.text, stars: note.stars },
      ConditionExpression: "attribute_not_exists(id)",
    }),
  );
  return reply(201, {});
};
