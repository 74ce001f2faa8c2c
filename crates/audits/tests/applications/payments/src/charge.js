const jwt = require("jsonwebtoken");
const stripe = require("stripe")(process.env.STRIPE_KEY);
const crypto = require("crypto");
const mysql = require("mysql2/promise");

exports.handler = async (event) => {
  const claims = jwt.decode(event.headers.authorization); // weak: unverified-token
  const body = JSON.parse(event.body);
  if (body.role === "admin") { // weak: role-from-caller
    return { statusCode: 200, body: "all" };
  }
  console.log(`charging ${body.orderId}, card ending ${body.cardNumber.slice(-4)}`);
  console.log("cvv", body.cvv); // weak: sensitive-data-in-log
  const cipher = crypto.createCipheriv("des-ecb", Buffer.from(process.env.CARD_KEY), null); // weak: weak-cipher
  const pool = mysql.createPool({ host: process.env.DB, user: "app", password: "Sup3r-S3cret!" }); // weak: secret-in-code
  const [rows] = await pool.execute("SELECT * FROM invoices WHERE id = ?", [body.invoiceId]); // weak: missing-ownership-check
  await stripe.charges.create({ amount: rows[0].total, currency: "eur", source: body.source });
  await stripe.charges.create({ amount: body.amount, currency: "eur", source: body.source }); // weak: caller-chosen-price
  return { statusCode: 200, body: cipher.final("hex") };
};
