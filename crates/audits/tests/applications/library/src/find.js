const { Pool } = require("pg");
const { MongoClient } = require("mongodb");

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const mongo = new MongoClient(process.env.MONGO_URL);
const ORDER = { title: "title", year: "year" };

const where = (filters) => Object.entries(filters).map(([name, value]) => `${name} = '${value}'`).join(" AND ");

exports.handler = async (event) => {
  const query = event.queryStringParameters || {};
  const order = ORDER[query.order] || "title";
  const books = await pool.query(`SELECT * FROM books WHERE title = $1 ORDER BY ${order}`, [query.title]);
  const byYear = await pool.query("SELECT * FROM books WHERE year = " + Number(query.year));
  const loose = await pool.query("SELECT * FROM books WHERE " + where(query)); // weak: sql-injection
  const body = JSON.parse(event.body || "{}");
  const found = await mongo.db("library").collection("reviews").find({ book: body.book }).toArray(); // weak: nosql-injection
  const safe = await mongo.db("library").collection("reviews").find({ book: String(body.book) }).toArray();
  return { statusCode: 200, body: JSON.stringify({ books, byYear, loose, found, safe }) };
};
