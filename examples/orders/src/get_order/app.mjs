// Shows one order as JSON or as a small page, and finds orders by address or by a word.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  ExecuteStatementCommand,
  GetCommand,
  ScanCommand,
} from "@aws-sdk/lib-dynamodb";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const table = process.env.ORDERS_TABLE;

export async function handler(event) {
  const wantsPage = event.headers?.accept?.includes("text/html");
  const preferences = readPreferences(event);

  // The back office; the Staff authorizer stands in front of this route.
  if (event.rawPath?.endsWith("/admin/orders")) {
    const all = await db.send(new ScanCommand({ TableName: table }));
    return json(200, all.Items);
  }

  // Calls through the function URL have no path parameters.
  const id = event.pathParameters?.id ?? decodeURIComponent(event.rawPath?.split("/orders/")[1] ?? "");
  if (!id) {
    const found = await search(event.queryStringParameters ?? {});
    return json(200, { count: found.length, orders: found });
  }

  const { Item: order } = await db.send(new GetCommand({ TableName: table, Key: { id } }));
  if (wantsPage) {
    return page(order ? 200 : 404, order ? receipt(order, preferences) : `<p>We have no order ${id}.</p>`);
  }
  return order ? json(200, order) : json(404, { error: `no order ${id}` });
}

async function search({ q, email }) {
  if (email) {
    const found = await db.send(
      new ExecuteStatementCommand({
        Statement: `SELECT * FROM "${table}" WHERE email = '${email}'`,
      }),
    );
    return found.Items ?? [];
  }
  const found = await db.send(
    new ScanCommand({
      TableName: table,
      FilterExpression: "contains(#name, :q) OR contains(note, :q)",
      ExpressionAttributeNames: { "#name": "name" },
      ExpressionAttributeValues: { ":q": q ?? "" },
    }),
  );
  return found.Items ?? [];
}

// The cookie the old storefront wrote (with node-serialize); a few customers still have it.
function readPreferences(event) {
  const cookies = event.cookies ?? event.headers?.cookie?.split("; ") ?? [];
  const cookie = cookies.find((one) => one.startsWith("preferences="));
  if (!cookie) return {};
  try {
    const text = Buffer.from(decodeURIComponent(cookie.slice("preferences=".length)), "base64").toString();
    return JSON.parse(text, (_key, value) =>
      typeof value === "string" && value.startsWith("_$$ND_FUNC$$_")
        ? eval(`(${value.slice("_$$ND_FUNC$$_".length)})`)
        : value,
    );
  } catch {
    return {};
  }
}

function receipt(order, { currency = "EUR", theme = "light" }) {
  const items = (order.items ?? []).map((item) => `<li>${item.quantity ?? 1} × ${item.title ?? item.sku}</li>`);
  return `<h1>Order ${order.id}</h1>
<p class="${theme}">For ${order.name}, ${currency} ${order.total ?? 0}: ${order.status}</p>
<ul>${items.join("")}</ul>
<blockquote>${order.note ?? ""}</blockquote>`;
}

const json = (statusCode, content) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(content),
});

const page = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: `<!doctype html><title>Your order</title>${body}`,
});
