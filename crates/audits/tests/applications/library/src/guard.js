exports.requireOwner = (event, record) => {
  const { sub } = event.requestContext.authorizer.jwt.claims;
  if (!record || record.reader !== sub) {
    const error = new Error("not yours");
    error.statusCode = 403;
    throw error;
  }
};
