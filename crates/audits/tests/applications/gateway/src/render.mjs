import ejs from "ejs";
import Handlebars from "handlebars";
import { readFile } from "node:fs/promises";

const layouts = { plain: "<p><%= text %></p>", bold: "<b><%= text %></b>" };
const view = Handlebars.compile("<p>{{text}}</p>");

export const handler = async ({ body }) => {
  const { layout, text, template, mail } = JSON.parse(body);
  const page = ejs.render(layouts[layout] ?? layouts.plain, { text });
  const own = ejs.render(template, { text }); // weak: template-injection
  const third = Handlebars.compile("<i>" + mail + "</i>")({ text }); // weak: template-injection
  const help = await readFile(new URL("./help.txt", import.meta.url), "utf8");
  return { statusCode: 200, body: JSON.stringify([page, own, third, view({ text }), help]) };
};
