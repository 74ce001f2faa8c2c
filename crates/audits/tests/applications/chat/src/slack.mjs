export const handler = async (event) => { // weak: unverified-webhook
  const { text, channel } = JSON.parse(event.body);
  return { statusCode: 200, body: JSON.stringify({ text: `You said ${text.length} letters in ${channel}` }) };
};
