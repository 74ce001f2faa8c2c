import nodemailer from "nodemailer";
import sanitizeHtml from "sanitize-html";
import Ajv from "ajv";

const transport = nodemailer.createTransport({ host: "mail.example.com", auth: { user: "app", pass: process.env.MAIL_PASSWORD } });
const valid = new Ajv().compile({ type: "object", properties: { to: { enum: ["sales", "support"] } }, required: ["to"] });

export const handler = async (event) => {
  const message = JSON.parse(event.body);
  await transport.sendMail({ from: "app@example.com", to: "team@example.com", subject: "Ticket", text: message.text });
  await transport.sendMail({ from: "app@example.com", to: "team@example.com", html: sanitizeHtml(message.text) });
  await transport.sendMail({ from: "app@example.com", to: "team@example.com", html: `<p>${message.text}</p>` }); // weak: cross-site-scripting
  await transport.sendMail({ from: "app@example.com", to: message.email, text: "We have it." }); // weak: caller-chosen-recipient
  const other = JSON.parse(event.body);
  if (!valid(other)) return { statusCode: 400 };
  return { statusCode: 202 };
};
