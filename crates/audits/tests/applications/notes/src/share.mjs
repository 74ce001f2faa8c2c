import { createHmac, timingSafeEqual } from "node:crypto";

const allowed = new Set(["https://notes.example", "https://app.notes.example"]);

export const handler = async (event) => {
  const { to, name, origin } = event.queryStringParameters;
  const expected = createHmac("sha256", process.env.SHARE_KEY).update(name).digest();
  if (!timingSafeEqual(expected, Buffer.from(event.queryStringParameters.mac, "hex"))) return { statusCode: 403 };
  if (event.queryStringParameters.page) {
    return {
      statusCode: 200,
      headers: { "content-type": "text/html" },
      body: `<h1>${name}</h1>`, // weak: cross-site-scripting
    };
  }
  if (allowed.has(origin)) {
    return { statusCode: 204, headers: { "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true" } };
  }
  const session = event.headers.session;
  return {
    statusCode: 302,
    headers: {
      Location: to, // weak: open-redirect
      "Set-Cookie": `session=${session}; Path=/`, // weak: insecure-cookie
    },
  };
};
