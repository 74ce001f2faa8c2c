const generate = () => Math.random().toString(36).slice(2);

export const handler = async (event) => {
  const attempt = Math.floor(Math.random() * 3);
  const sessionToken = generate(); // weak: weak-randomness
  const user = JSON.parse(event.body).user;
  console.log("session for", user, attempt);
  return {
    statusCode: 200,
    multiValueHeaders: { "Set-Cookie": [`session=${sessionToken}; Secure; HttpOnly; SameSite=Lax`] },
    body: "{}",
  };
};
