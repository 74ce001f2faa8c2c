import { DynamoDBClient, GetItemCommand, DeleteItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { CognitoJwtVerifier } from "aws-jwt-verify";

const db = new DynamoDBClient({});
const TableName = process.env.USERS;
const verifier = CognitoJwtVerifier.create({ userPoolId: "eu-west-1_x", tokenUse: "id", clientId: "c" });

async function show(userId) {
  const { Item } = await db.send(new GetItemCommand({ TableName, Key: marshall({ userId }) })); // weak: missing-ownership-check
  return unmarshall(Item);
}

async function remove(event) {
  const claims = await verifier.verify(event.headers.authorization);
  if (claims.sub !== event.pathParameters.userId) throw new Error("403");
  await db.send(new DeleteItemCommand({ TableName, Key: marshall({ userId: event.pathParameters.userId }) }));
}

async function rename(event) {
  const { sub } = event.requestContext.authorizer.jwt.claims;
  const { name } = JSON.parse(event.body);
  await db.send(
    new UpdateItemCommand({
      TableName,
      Key: marshall({ userId: sub }),
      UpdateExpression: "SET #n = :n",
      ExpressionAttributeNames: { "#n": "name" },
      ExpressionAttributeValues: marshall({ ":n": name }),
    }),
  );
}

export const handler = async (event) => {
  switch (event.requestContext.http.method) {
    case "GET":
      return { statusCode: 200, body: JSON.stringify(await show(event.pathParameters.userId)) };
    case "DELETE":
      await remove(event);
      return { statusCode: 204 };
    default:
      await rename(event);
      return { statusCode: 204 };
  }
};
