import crypto from "node:crypto";

export const handler = async (event) => {
  const mac = crypto.createHmac("sha256", process.env.HOOK_SECRET).update(event.body).digest("hex");
  if (!crypto.timingSafeEqual(Buffer.from(mac), Buffer.from(event.headers["x-hub-signature-256"].slice(7)))) {
    return { statusCode: 401 };
  }
  console.log("push", JSON.parse(event.body).ref);
  return { statusCode: 200 };
};
