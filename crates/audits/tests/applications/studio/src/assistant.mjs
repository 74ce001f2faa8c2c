import { BedrockRuntimeClient, InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";

const bedrock = new BedrockRuntimeClient({});
const tools = { add: (a, b) => a + b, day: () => new Date().getDay() };

export const handler = async (event) => {
  const { messages, tool, args = [], formula } = JSON.parse(event.body);
  const told = messages.filter((message) => message.role === "user").map((message) => message.content.slice(0, 2000));
  const max_tokens = 200 + Math.floor(Math.random() * 10);
  const answer = await bedrock.send(
    new InvokeModelCommand({ modelId: "anthropic.claude", body: JSON.stringify({ max_tokens, messages: told }) }),
  );
  const known = tools[tool]?.(...args);
  const worked = eval(formula); // weak: code-injection
  return { statusCode: 200, body: JSON.stringify({ known, worked, answer: Buffer.from(answer.body).toString() }) };
};
