const AWS = require("aws-sdk");
const jwt = require("jsonwebtoken");
const db = new AWS.DynamoDB.DocumentClient();
const TableName = process.env.ACCOUNTS;

exports.handler = async (event) => {
  const token = event.headers.authorization.replace("Bearer ", "");
  const claims = jwt.verify(token, process.env.PUBLIC_KEY, { algorithms: ["RS256"] });
  const { amount, to } = JSON.parse(event.body);
  const { Item } = await db.get({ TableName, Key: { accountId: claims.sub } }).promise();
  if (Item.balance < amount) return { statusCode: 402 };
  await db
    .update({ // weak: check-then-write
      TableName,
      Key: { accountId: claims.sub },
      UpdateExpression: "SET balance = balance - :a",
      ExpressionAttributeValues: { ":a": Number(amount) },
    })
    .promise();
  return { statusCode: 200, body: JSON.stringify({ to }) };
};
