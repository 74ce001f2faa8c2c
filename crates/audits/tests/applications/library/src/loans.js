"use strict";
const AWS = require("aws-sdk");
const { requireOwner } = require("./guard");
const client = new AWS.DynamoDB.DocumentClient();

exports.giveBack = (event, context, callback) => {
  const params = { TableName: process.env.LOANS, Key: { loanId: event.pathParameters.id } };
  client.delete(params, (error) => { // weak: missing-ownership-check
    if (error) return callback(null, { statusCode: 500, body: error.message }); // weak: error-detail-in-response
    callback(null, { statusCode: 204 });
  });
};

exports.extend = async (event) => {
  const params = { TableName: process.env.LOANS, Key: { loanId: event.pathParameters.id } };
  const { Item: loan } = await client.get(params).promise();
  requireOwner(event, loan);
  await client
    .update({
      ...params,
      UpdateExpression: "SET due = :d",
      ConditionExpression: "attribute_exists(loanId)",
      ExpressionAttributeValues: { ":d": Date.now() + 14 * 86400000 },
    })
    .promise();
  return { statusCode: 200, body: JSON.stringify(loan) };
};
